"""The site's settings for Sphinx; `tools/site.py` lays out the pages and runs it."""

from pathlib import Path

START = "notebooks/00_start_here"

project = "Inside a convolutional network"
html_title = project
copyright = author = "the authors of cnnlib"
language = "en"

extensions = ["myst_nb", "sphinx_copybutton"]
exclude_patterns = ["parts/*"]
highlight_language = "none"  # what names no language of its own is a command, or what one says
nb_execution_mode = "off"  # the notebooks carry their outputs
nb_merge_streams = True
myst_enable_extensions = [
    "dollarmath",
    "amsmath",
    "attrs_inline",
]  # without these, $$ stays on the page
myst_heading_anchors = 3
# What JupyterLab alone shows has HTML beside it.
suppress_warnings = ["mystnb.unknown_mime_type"]

html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
html_css_files = ["site.css"]
templates_path = ["_templates"]
html_show_sourcelink = False
html_copy_source = False
html_show_sphinx = False
html_last_updated_fmt = None
html_theme_options = {
    "use_fullscreen_button": False,
    "use_download_button": False,
    "home_page_in_toc": True,
    "show_toc_level": 2,
    "navbar_persistent": [],
    "navigation_with_keys": False,
    "article_header_end": ["try-it.html", "article-header-buttons.html"],
}
html_sidebars = {"**": ["home.html", "search-button-field.html", "sbt-sidebar-nav.html"]}
html_context = {"default_mode": "auto"}
mathjax_path = "mathjax/tex-chtml.js"  # beside the pages: nothing is asked of another host
# The cells that a learner copies are code, without the prompts of a session.
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True


def setup(app):
    """Tell each page where it can be tried."""

    def add_try_it(app, pagename, templatename, context, doctree):
        def try_it(page):
            if not (Path(app.srcdir).parent / "lite").exists():
                return context["pathto"]("try")
            tried = page if page.startswith(("notebooks/", "exercises/")) else START
            return context["pathto"](f"lite/lab/index.html?path={tried}.ipynb", resource=True)

        context["try_it"] = try_it

    app.connect("html-page-context", add_try_it)
