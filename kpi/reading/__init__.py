"""Input files → tables of text, whatever the format: a folder, a ZIP or single files (DESIGN §4).

gather (which files there are) → opening (what each is, by its content) → text, sheets or columnar
(its rows in batches). Nothing here knows a table of the data contract: kpi/layouts does.
"""
