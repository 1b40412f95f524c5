"""Numbers, figures and pages made from stored results.

Public: `reports.data.collect` (outcomes to one frozen value), `reports.page.page` (that value to a
page), `reports.words.verdict`, `reports.front` (simulate and compare from a program). This room imports
`scenarios` and `sim`, never an engine.
"""
