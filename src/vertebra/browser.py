"""Whether this Python runs in the reader's browser (Pyodide), and what is done otherwise there, each with its why."""

import sys

IN_BROWSER = sys.platform == "emscripten"

DRAWS_STILLS = not IN_BROWSER
"""Whether a widget draws the still picture of a page without a kernel. In the browser nobody keeps it: the page was
there before, with the picture in it. It costs seconds, and some need matplotlib, which is not fetched for that."""

BEGINS_WITH_MODEL = IN_BROWSER
"""Whether the first film of the gym is one of the model: in the browser it takes three seconds, one of the CT ten."""
