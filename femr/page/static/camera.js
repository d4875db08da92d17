// The camera, opened by one tap, with a shutter. What it cannot do is told in a sentence.
const REASONS = {
  NotAllowedError: 'The browser may not use your camera. Allow it beside the address, or use one of these:',
  NotFoundError: 'No camera was found. Connect one, or use one of these:',
  NotReadableError: 'Another program uses your camera. Close it, or use one of these:',
  SecurityError: 'The browser may not use your camera on this page. Use one of these:',
}
const NONE = 'This browser gives no camera to this page: it needs https, or localhost. Use one of these:'

/**
 * Shows the camera in `view`, while that can be seen; `opener` is the button that opens it, and has the focus afterwards.
 * `opened` is told when it is open; `taken` gets the picture, a JPEG file, and `failed` the reason why there is none.
 */
export class Camera {
  constructor(view, opener, { opened, taken, failed }) {
    this.view = view
    this.opener = opener
    this.video = view.querySelector('video')
    this.facing = 'user'
    this.stream = null
    this.opened = opened
    this.taken = taken
    this.failed = failed
    view.querySelector('.close').addEventListener('click', () => this.close())
    view.querySelector('.shutter').addEventListener('click', () => this.take())
    view.querySelector('.turn').addEventListener('click', () => this.turn())
    document.addEventListener('keydown', (event) => event.key === 'Escape' && this.close())
    setInterval(() => this.stream && this.away() && this.close(), 250)
  }

  /** Whether another tab of the page is open. */
  away() {
    return !this.view.parentElement.offsetParent
  }

  async open() {
    if (!navigator.mediaDevices?.getUserMedia) return this.failed(NONE)
    const size = { width: { ideal: 1280 }, height: { ideal: 960 } }
    const asked = (this.asked = {}) // closed or opened again meanwhile: this stream is not wanted any more
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: this.facing, ...size } })
      if (asked !== this.asked || this.away()) return stream.getTracks().forEach((track) => track.stop())
      this.stream = stream
    } catch (error) {
      return asked === this.asked && this.failed(REASONS[error.name] || `Your camera does not start: ${error.message}`)
    }
    this.video.srcObject = this.stream
    this.seen = firstFrame(this.video)
    this.view.classList.toggle('mirrored', this.facing === 'user')
    this.view.hidden = false
    this.opened()
    this.view.scrollIntoView({ block: 'nearest' })
    this.view.querySelector('.shutter').focus({ preventScroll: true })
    await this.video.play().catch(() => {}) // it was closed meanwhile
    const cameras = (await navigator.mediaDevices.enumerateDevices()).filter((one) => one.kind === 'videoinput')
    this.view.querySelector('.turn').hidden = cameras.length < 2
  }

  close() {
    this.asked = null
    this.stream?.getTracks().forEach((track) => track.stop())
    this.stream = this.video.srcObject = null
    const focused = this.view.contains(document.activeElement)
    this.view.hidden = true
    if (focused) this.opener.focus({ preventScroll: true })
  }

  turn() {
    this.facing = this.facing === 'user' ? 'environment' : 'user'
    this.close()
    return this.open()
  }

  async take() {
    await this.seen // pressed sooner, the picture would be black
    if (!this.stream) return
    const { videoWidth: width, videoHeight: height } = this.video
    const canvas = Object.assign(document.createElement('canvas'), { width, height })
    canvas.getContext('2d').drawImage(this.video, 0, 0)
    this.close()
    canvas.toBlob((blob) => this.taken(new File([blob], 'selfie.jpg', { type: 'image/jpeg' })), 'image/jpeg', 0.92)
  }
}

/** When there is something to see; where browsers do not tell of frames, when there is data. */
function firstFrame(video) {
  return new Promise((resolve) => {
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(resolve)
    else video.addEventListener('loadeddata', resolve, { once: true })
  })
}
