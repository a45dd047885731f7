"""vertebra: a course on vertebral compression fractures that runs in Jupyter.

The rooms, each knowing only those before it: `assets` (data files), `measure` (morphometry and scores), `evidence`
(references and claims), `quiz` (items and scoring), `teaching` (assign and grade), `widgets`, `cli`.
"""

__version__ = "0.1.0"
