"""femr for agents: three tools of the Model Context Protocol, on the page's server and over standard input and output.

The docstrings of the tools are what an agent reads.
"""

from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from femr import __version__
from femr.errors import FemrError
from femr.images import WEB, load_picture
from femr.music import Mode
from femr.page import api, bodies, queues, shared
from femr.results import EMOTIONS, Emotion

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

PATH = "/gradio_api/mcp"
"""Where the page's server has the tools: as any Gradio app that is one."""

EmotionName: TypeAlias = Literal["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
INSTRUCTIONS = (
    "femr reads what the faces of a photo look like, tells the group's mood and picks a song for it. It says what "
    "people would say of a face, never what somebody feels, and identifies no one."
)

DESK = queues.Desk()  # Gradio's queue does not stand before these photos


def routes() -> dict[str, Any]:
    """What the page's server is to serve beside the page; nothing without the extra mcp."""
    try:
        server = tools()
    except FemrError:
        return {}
    from mcp.server.transport_security import TransportSecuritySettings

    # the page is reached by any name that it is given, so these are too
    anywhere = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    served = server.streamable_http_app(
        streamable_http_path=PATH,
        stateless_http=True,
        json_response=True,
        max_request_body_size=bodies.MOST_BYTES,
        transport_security=anywhere,
    )
    return {"routes": served.routes, "lifespan": lambda _: server.session_manager.run()}


def tools(local: bool = False) -> "MCPServer":
    """The server with its tools. Args: `local`, for one who may read this machine's files. Raises: FemrError."""
    try:
        from mcp.server.mcpserver import Context, MCPServer
        from mcp.server.mcpserver.exceptions import ToolError
    except ImportError as error:  # or it is mcp 1, which gradio[mcp] brings
        raise FemrError('The tools for agents need mcp 2: pip install "mcp>=2.3,<3".') from error

    server = MCPServer("femr", version=__version__, instructions=INSTRUCTIONS, log_level="ERROR")

    def address(context: Context) -> api.Address:
        return api.addresses(context.request_context.request)

    async def read_photo_mood(context: Context, photo: str, mode: Mode = "match") -> dict[str, Any]:
        """Read what every face in a photo looks like, the mood of all of them together, and a song that goes with it.

        Use it when somebody asks how people in a picture look, or for music for a picture. Say "looks happy", not "is
        happy": the answer is what most people would say of the faces.

        Args:
            photo: The picture's file (JPEG, PNG, WebP, HEIC and others, up to 20 MB) as base64 or as a data: address;
                web addresses are refused. Where femr runs on your own machine, the file's path works as well.
            mode: "match" picks a song of the mood itself; "lift" answers angry, disgust, fear and sad with a calmer or
                brighter song.

        Returns:
            mood.reason, a sentence to pass on; mood.emotion, null where there are no faces or no clear mood; faces from
            left to right, each with its box in pixels, expression, seven scores that sum to 1, and unsure (do not rely
            on that face) with the reason; song with its address in url, null where there is no mood.
        """
        own = local and not photo.lower().startswith(WEB)
        read = partial(load_picture if own else api.picture_of, photo)
        try:
            return await DESK.serve(0, partial(api.document, read, api.Wish(mode=mode), address(context)))
        except FemrError as error:
            raise ToolError(str(error)) from error

    def list_songs(context: Context, mood: EmotionName | None = None) -> dict[str, Any]:
        """List the songs that femr can play, all of them or those of one mood.

        Use it to see what there is; to choose one for a mood, use pick_song.

        Args:
            mood: One of angry, disgust, fear, happy, sad, surprise, neutral; leave it out for all.

        Returns:
            songs, each with title, artist, emotion (the mood that it goes with), key, mode, tempo in beats a minute,
            duration in seconds, licence, and its address in url. Unknown facts are null.
        """
        wanted = EMOTIONS if mood is None else (Emotion(mood),)
        found = [song for emotion in wanted for song in shared.music_library().of(emotion)]
        return {"songs": [api.song_to_dict(song, address(context)) for song in found]}

    def pick_song(context: Context, mood: EmotionName, mode: Mode = "match") -> dict[str, Any]:
        """Pick one song for a mood that you know already, without a photo.

        Args:
            mood: One of angry, disgust, fear, happy, sad, surprise, neutral.
            mode: "match" picks at random among the mood's own songs; "lift" answers angry, disgust, fear and sad with a
                calmer or brighter song.

        Returns:
            song, as in list_songs; null where the library holds none that fits.
        """
        song = shared.music_library().pick(Emotion(mood), mode)
        return {"song": song and api.song_to_dict(song, address(context))}

    for tool in (read_photo_mood, list_songs, pick_song):
        server.add_tool(tool)
    return server
