"""``python -m target_app``: see ``target_app.cli``."""

from target_app.cli import main

main(prog_name="python -m target_app")
