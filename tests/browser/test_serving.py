"""Where the page is served all the same."""

from gradio import networking

from femr.page import app


def test_a_machine_too_busy_to_answer_itself_at_once_serves_the_page(monkeypatch):
    monkeypatch.setattr(networking, "url_ok", lambda url: False)
    page = app.build_page()
    _, address, _ = app.launch(page, prevent_thread_lock=True, quiet=True)
    page.close()
    assert address.startswith("http://127.0.0.1:")
