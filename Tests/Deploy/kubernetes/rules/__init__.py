"""What no schema says. A rule is a generator of sentences about what is wrong; its name is how a mutation names it."""
RULES = {}


def rule(function):
    RULES[function.__name__] = function
    return function


def broken(objects):
    """[(rule, sentence)]"""
    found = []
    for name, check in RULES.items():
        try:
            found += [(name, sentence) for sentence in check(objects)]
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            # Something else is wrong with the objects, and its own rule says what.
            found.append(("unjudged", f"{name}: {type(error).__name__}: {error}"))
    return found


from . import network, pods, scaling, settings, wiring  # noqa: E402,F401 (they register their rules)
