select max(at)
from derived.latest
