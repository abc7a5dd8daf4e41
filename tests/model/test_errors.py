"""One vocabulary of errors: a class for each kind."""

from tests.errors import classes, subclasses
from tintype.model import Error, Kind


def test_every_kind_has_a_class_that_is_named_after_it() -> None:
    names = {kind: "".join(word.capitalize() for word in kind.split("-")) for kind in Kind}
    assert {kind: each.__name__ for kind, each in classes().items()} == names


def test_every_class_is_of_one_kind() -> None:
    kinds = [each.kind for each in subclasses(Error) if "kind" in vars(each)]
    assert len(kinds) == len(set(kinds))
    raised = [each for each in subclasses(Error) if not each.__subclasses__()]
    assert [each for each in raised if not hasattr(each, "kind")] == []
