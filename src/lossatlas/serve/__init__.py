"""The map of runs that are still being written, on a page that follows them.

A loop polls the runs' folders (watched), places what is new on the standing map (standing, growing), has it fitted anew in the
background (live) and publishes scenes (feed), which the server on the loopback address hands to pages that know its token
(server, address).
"""

from lossatlas.serve.address import Address, kept_address
from lossatlas.serve.feed import Feed
from lossatlas.serve.live import LiveAtlas, follow
from lossatlas.serve.server import LiveServer
from lossatlas.serve.standing import MapSettings

__all__ = ["Address", "Feed", "LiveAtlas", "LiveServer", "MapSettings", "follow", "kept_address"]
