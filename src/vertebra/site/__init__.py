"""The course as a web site: lessons as pages that read at once, and the same lessons live in the browser."""
