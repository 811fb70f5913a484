"""How long many seeds of one fine-tuning take, with stabbench and without.

    python -m benchmarks.speed                     from the repository's root; --help shows the options

Everybody trains the same model on the same examples with the same recipe, makes as many updates, and evaluates once.
"""
