"""A college's profile in sentences, the same ones on the screen and on the command line."""

from collections.abc import Mapping

from kpi import told
from kpi.language import Speaker, mark
from kpi.profile import Dual, Expected, Level, Profile, Row

_FINDINGS = {
    (True, None): mark("{points} points more than expected, within what chance alone could do"),
    (False, None): mark("{points} points less than expected, within what chance alone could do"),
    (True, "95"): mark("{points} points more than expected, beyond the 95 % limits of chance"),
    (False, "95"): mark("{points} points less than expected, beyond the 95 % limits of chance"),
    (True, "99.8"): mark("{points} points more than expected, beyond the 99.8 % limits of chance"),
    (False, "99.8"): mark("{points} points less than expected, beyond the 99.8 % limits of chance"),
}


PEERS_NEEDED = 5
"""Peers with a value that a verdict takes, in ``sql/3_profile/peer_comparison.sql``."""


def profile_title(words: Speaker, profile: Profile, clusters: Mapping[str, str]) -> str:
    """Return what the college is, in a sentence; ``clusters``: names by code."""
    cluster = profile.unit["cluster"]
    name = clusters.get(cluster, str(cluster)) if cluster else words.say("no cluster")
    if profile.focus is None:
        return words.say("Profile: {cluster}", cluster=name)
    return words.say(
        "Profile: {cluster}, {share} of its students",
        cluster=name,
        share=words.percent(profile.focus["cluster_share"]),
    )


def focus_told(words: Speaker, focus: Row) -> list[str]:
    """Return the counts behind it, the concentration, and what lies outside."""
    return [
        words.say(
            "{part} of {whole} students",
            part=words.number(focus["students"] - focus["students_outside"]),
            whole=words.number(focus["students"]),
        ),
        words.say(
            "concentration {index} (1 is one cluster alone)",
            index=words.number(round(focus["concentration"], 2), 2),
        ),
        outside_told(words, focus),
    ]


def outside_told(words: Speaker, focus: Row) -> str:
    """Return how much of a college lies outside its profile."""
    if not focus["specialties_outside"]:
        return words.say("every specialty lies within the profile")
    return words.say_count(
        "{count} specialty of {all} lies outside the profile, with {students} students",
        "{count} specialties of {all} lie outside the profile, with {students} students",
        focus["specialties_outside"],
        all=words.number(focus["specialties"]),
        students=words.number(focus["students_outside"]),
    )


def comparison_told(words: Speaker, row: Row, name: str) -> str:
    """Return a strength or weakness in words, with its n; ``name`` is the KPI's."""
    value = told.share(words, row)
    if row["kind"] == "flag":
        return words.say_count(
            "{kpi}: {value}, unlike most of {count} peer",
            "{kpi}: {value}, unlike most of {count} peers",
            row["peers"],
            kpi=name,
            value=value,
        )
    if row["kind"] in ("outcome_share", "register_share"):
        value = f"{value} ({told.counts(words, row)})"
    return words.say(
        "{kpi}: {value}; place {place} of {of}, the middle half of the peers is at {low} to {high}",
        kpi=name,
        value=value,
        place=words.number(row["place"]),
        of=words.number(row["peers"] + 1),
        low=_like(words, row, "peers_low"),
        high=_like(words, row, "peers_high"),
    )


def middle_half(words: Speaker, row: Row) -> str:
    """Return the peers' quartiles: 61.3 % – 74.3 %; what stands in their place where hidden."""
    if told.is_hidden(row, "peers_low"):
        return told.hidden(words)
    if row["kind"] == "flag":
        return "–"
    return f"{_like(words, row, 'peers_low')} – {_like(words, row, 'peers_high')}"


def place_told(words: Speaker, row: Row) -> str:
    """Return the place among the peers: 3 of 11."""
    if told.is_hidden(row, "place"):
        return told.hidden(words)
    if row["place"] is None:
        return "–"
    return words.say(
        "{part} of {whole}",
        part=words.number(row["place"]),
        whole=words.number(row["peers"] + 1),
    )


def _like(words: Speaker, row: Row, column: str) -> str:
    """Return a quartile of the peers as the KPI's value is told."""
    return told.share(words, {"kind": row["kind"], "value": row[column]})


def verdict_rule(words: Speaker) -> str:
    """Return what makes a strength or a weakness."""
    return words.say(
        "A strength is better than three quarters of the peers (of five or more), a weakness worse"
        " than three quarters; with graduates only where chance alone would not do it."
    )


def level_told(words: Speaker, level: Level) -> str:
    """Return a level's rate beside the nation's: 71.0 % (71 of 100); Kazakhstan 75.2 %."""
    own = told.share_of(words, level.row)
    if level.nation is None:
        return own
    return words.say(
        "{own}; Kazakhstan {nation}", own=own, nation=told.share_of(words, level.nation)
    )


def expected_title(words: Speaker, expected: Expected) -> str:
    """Return the finding: how far from what was expected, and what chance has to do with it."""
    share = expected.row["difference_share"]
    return words.say(
        _FINDINGS[share >= 0, expected.beyond],
        points=words.number(round(abs(100 * share), 1), 1),
    )


def expected_told(words: Speaker, row: Row) -> str:
    """Return the counts behind it."""
    return words.say(
        "{observed} of {graduates} graduates are in work ({share}); {expected} are expected"
        " ({expected_share})",
        observed=words.number(row["observed"]),
        graduates=words.number(row["graduates"]),
        share=words.percent(row["observed_share"]),
        expected=words.number(round(row["expected"], 1), 1),
        expected_share=words.percent(row["expected_share"]),
    )


def sources_told(words: Speaker, row: Row) -> str:
    """Return whose rates were expected of how many of the graduates."""
    return words.say(
        "Expected is what graduates of the same field and qualification find at other colleges: of"
        " the region for {region} of them, of the nation for {field}; of all fields for {nation}.",
        region=words.number(row["graduates_by_region"]),
        field=words.number(row["graduates_by_field"]),
        nation=words.number(row["graduates_by_nation"]),
    )


def nothing_expected(words: Speaker) -> str:
    """Return why a college has no expected employment."""
    return words.say(
        "Nothing can be expected: without graduates, or with fewer than 30 graduates of 3 other"
        " colleges to compare them with."
    )


def beyond_chance(words: Speaker) -> str:
    """Return what a difference beyond chance does not say."""
    return words.say(
        "Beyond chance is not yet the college's own doing: all that field, qualification and region"
        " do not tell is in it."
    )


def never_weighted(words: Speaker) -> str:
    """Return what the expectation is not for."""
    return words.say("It is never weighted into the score and moves no money.")


def dual_told(words: Speaker, dual: Dual, place: str) -> str:
    """Return the two shares of a place: of its colleges, and of its students."""
    colleges = told.share_of(words, dual.colleges)
    if dual.students is None:
        return words.say(
            "{place}: {colleges} of the colleges have dual training", place=place, colleges=colleges
        )
    return words.say(
        "{place}: {colleges} of the colleges have dual training, {students} of the students are in"
        " it",
        place=place,
        colleges=colleges,
        students=told.share_of(words, dual.students),
    )


def cluster_told(words: Speaker, row: Row, clusters: Mapping[str, str]) -> str:
    """Return a cluster of a college: Energy: 76.6 % (723 students, 7 specialties)."""
    return words.say(
        "{cluster}: {share} ({students} students, {specialties} specialties)",
        cluster=clusters.get(row["cluster"], row["cluster"]),
        share=words.percent(row["share"]),
        students=words.number(row["students"]),
        specialties=words.number(row["specialties"]),
    )


def specialty_told(
    words: Speaker, row: Row, specialties: Mapping[str, str], clusters: Mapping[str, str]
) -> str:
    """Return a specialty outside the profile, with its cluster and students."""
    students = words.say_count("{count} student", "{count} students", row["students"])
    name = specialties.get(row["specialty"], "")
    cluster = clusters.get(row["cluster"], row["cluster"])
    return f"{row['specialty']} {name} · {cluster} · {students}"


def untold(words: Speaker, profile: Profile, names: Mapping[str, str]) -> list[str]:
    """Return why some comparisons have no verdict: too few peers, or one of theirs is hidden."""
    found = []
    if len(profile.peers) < PEERS_NEEDED:
        found.append(
            words.say(
                "A verdict takes {needed} peers that have a value.",
                needed=words.number(PEERS_NEEDED),
            )
        )
    hidden = [names[row["kpi"]] for row in profile.comparisons if told.is_hidden(row, "verdict")]
    if hidden:
        found.append(
            words.say(
                "Left out, because a count of a peer is hidden: {kpis}", kpis=", ".join(hidden)
            )
        )
    return found


def funnel_caption(words: Speaker, expected: Expected) -> str:
    """Return what the funnel shows, and what it is not for."""
    marks = [
        words.say("Points above or below what is expected, by number of graduates"),
        words.say(
            "bands: what chance alone could do to such graduates in 95 % and in 99.8 % of cases"
        ),
        words.say("● the college"),
    ]
    if any(row["is_peer"] for row in expected.others):
        marks.append(words.say("○ its peers"))
    if not all(row["is_peer"] for row in expected.others):
        marks.append(words.say("grey: the other colleges"))
    return " · ".join([*marks, never_weighted(words)])


def dot_told(words: Speaker, row: Row, name: str) -> str:
    """Return one college of the funnel."""
    return words.say(
        "{college}: {points} points; {observed} of {graduates} in work, {expected} expected",
        college=name,
        points=points_told(words, row["difference_share"], 1),
        observed=words.number(row["observed"]),
        graduates=words.number(row["graduates"]),
        expected=words.number(round(row["expected"], 1), 1),
    )


def points_told(words: Speaker, share: float, places: int = 0) -> str:
    """Return a difference of shares in percentage points, with its sign: +4.1."""
    sign = "+" if share > 0 else "\u2212" if share < 0 else ""
    return sign + words.number(round(abs(100 * share), places), places)
