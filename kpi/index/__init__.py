"""The index engine: treat, normalise, weigh, aggregate, over any framework (DESIGN §5).

It knows nothing of colleges: values and a framework go in, every step comes out. ``score`` takes
polars frames, ``score_array`` arrays with any leading axes (draws, scenarios); both are the same
engine. Sources: OECD/JRC, Handbook on Constructing Composite Indicators (2008), steps 5 and 6;
names and behaviour follow the R package COINr where it has them (docs/index-engine.md lists them).

A framework is a polars frame, one row a node of the tree, parents in any order:

    code       name of the node
    parent     code of the node above it; null for the index, of which there is one
    direction  1 or -1 (indicators only; null for groups)
    weight     weight among the children of its parent
    normalise  goalposts, min_max, percentile_rank, z_score, distance_to_target, rank, borda or
               none; null for groups
    floor, target
               goalposts: the values that map to 0 and 100; min_max: the ends of the range,
               0 and 100 where null; distance_to_target: the target, and no floor; otherwise unused
    aggregate  arithmetic, geometric, harmonic or sum of the node's children; null for indicators
    missing    what a missing value (NaN) does: reweight among its present siblings (all of them
               missing make the group missing), zero, or not_ranked: no index for that unit

and, where a framework needs them (a column that is not there is null throughout):

    mean, deviation
               z_score: what the scores' mean and standard deviation become, 0 and 1 where null
    capped     distance_to_target: true where nothing beyond the target counts
    treat      outliers of the raw values: winsorise, log, or winsorise_then_log
               (``kpi.index.outliers``); null leaves them as they are
"""

from kpi.index.engine import Scores, indicator_codes, published, score_array
from kpi.index.library import Scored, score, treatment_report
from kpi.index.means import aggregate
from kpi.index.outliers import treat
from kpi.index.scales import normalise

__all__ = [
    "Scored",
    "Scores",
    "aggregate",
    "indicator_codes",
    "normalise",
    "published",
    "score",
    "score_array",
    "treat",
    "treatment_report",
]
