"""HTML reports that stand alone: a page frame, tables, and charts as inline SVG with their text alternative.

`page.render_page` turns a `content.Page` into one HTML document that runs nothing and loads nothing. Charts need the
extra `reports` (matplotlib), which is imported when the first chart is drawn.
"""
