"""vertebra: a course on vertebral compression fractures that runs in Jupyter.

The rooms, each knowing only those before it: `assets` (data files), `spine`, `measure` (morphometry and scores),
`imaging`, `cement`, `mechanics`, `comparison`, `evidence` (references, trials, guidelines, claims), `simulators`
(what each model was held against), `quiz` (items and scoring), `teaching` (assign and grade), `widgets`, `cli`.
"""

__version__ = "0.1.0"
