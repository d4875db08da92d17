// Gradio (6.31) says nothing when the camera is refused, and calls the button that starts the stream "capture photo"
const say = (words) => document.querySelectorAll('.camera-note').forEach((note) => { note.innerText = words });
const reasons = {
  NotAllowedError: 'The browser may not use your camera. Allow it beside the address, then press the camera again.',
  NotFoundError: 'No camera was found. Connect one, or use the Photo tab.',
  NotReadableError: 'Another program uses your camera. Close it, then press the camera again.',
  SecurityError: 'The browser may not use your camera on this page.',
  none: 'This browser gives no camera to this page. It needs https, or localhost.',
};
const devices = navigator.mediaDevices;
if (!devices || !devices.getUserMedia) say(reasons.none);
else if (!devices.asked) {
  devices.asked = devices.getUserMedia.bind(devices);
  devices.getUserMedia = (wanted) => devices.asked(wanted).then(
    (stream) => { say(''); return stream },
    (error) => { say(reasons[error.name] || 'Your camera does not start: ' + error.message);
                 return new Promise(() => {}) });
}
const look = () => {
  const over = document.querySelector('#live-mood .over');
  document.querySelectorAll('#camera .capture-button').forEach((button) => {
    const stop = button.querySelector('[title="stop recording"]');
    const words = stop ? 'Stop' : button.querySelector('[title="start recording"]') ? 'Start' : 'Wait';
    if (button.ariaLabel !== words) button.ariaLabel = words;
    if (stop && over) { over.remove(); button.click(); }
  });
};
new MutationObserver(look).observe(document.body, {subtree: true, childList: true});
