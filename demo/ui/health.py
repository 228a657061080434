"""``GET /health``: whether the server answers, with what, and how much it has to do."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from demo import __version__
from demo.ui.line import Line
from models.zoo import Zoo


@dataclass(frozen=True)
class Health:
    """What a load balancer or a container's health check asks; it waits in no queue."""

    zoo: Zoo
    line: Line

    def route(self) -> Route:
        """Where it is asked."""
        return Route("/health", self.answer)

    async def answer(self, request: Request) -> JSONResponse:
        """Says "ok", for whoever hears it; networks are named, what is wrong with one is not."""
        return JSONResponse(
            {
                "status": "ok",
                "version": __version__,
                "device": str(self.zoo.device),
                "loaded": list(self.zoo.loaded_names),
                "refused": list(self.zoo.problems()),
                "running": self.line.working,
                "waiting": self.line.waiting,
            }
        )
