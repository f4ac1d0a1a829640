"""Cost calculators: inputs, formula, result. Formulas: docs/business-case.md."""
