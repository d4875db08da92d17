() => {
  // Gradio's player keeps its audio element in a shadow root, where document.querySelectorAll does not look
  const pause = (root) => root.querySelectorAll('*').forEach((element) => {
    if (element.tagName === 'AUDIO') element.pause();
    if (element.shadowRoot) pause(element.shadowRoot);
  });
  pause(document);
}
