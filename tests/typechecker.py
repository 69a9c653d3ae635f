"""The checker of annotations under pytest: beartype, with whole numbers taken where real ones are expected."""

from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
