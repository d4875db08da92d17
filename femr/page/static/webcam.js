// A camera that comes back by itself: pulled out and put back, taken by another program, asleep with the machine.
const AGAIN = 2000 // milliseconds until a camera that does not start is tried again
const ASKED = 30_000 // milliseconds until one is asked again who said no
const STALE = 3000 // milliseconds without a new picture after which it is opened anew
const FIRST = 5000 // and without the first one
const DARK = 10 // of 255: no pixel of a black picture is brighter
const QUALITY = 0.8
const SIZE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } }
const REASONS = {
  NotAllowedError: 'The browser may not use the camera. Allow it beside the address.',
  NotFoundError: 'Waiting for a camera: none is connected.',
  OverconstrainedError: 'Waiting for the chosen camera: it is not connected.',
  NotReadableError: 'Waiting for the camera: another program uses it.',
  SecurityError: 'The browser may not use the camera on this page.',
}
const NONE = 'This browser gives no camera to this page: it needs https, or localhost.'
const BLACK = 'The camera gives a black picture. Is it covered?'

/** Shows the camera that is wanted, a number from 1, a part of its name or an id, in a video element. */
export class Webcam {
  constructor(video) {
    this.video = video
    this.canvas = document.createElement('canvas')
    this.small = Object.assign(document.createElement('canvas'), { width: 16, height: 9 })
    this.small = this.small.getContext('2d', { willReadFrequently: true })
    this.choose('')
    this.opened = () => {} // called when one gives pictures
    this.trouble = '' // why there is no picture, for who looks at the stage
    this.stream = null
    this.tried = -Infinity
    this.seen = { frames: 0, time: 0 }
    const again = () => (this.tried = -Infinity)
    navigator.mediaDevices?.addEventListener('devicechange', again)
    navigator.mediaDevices?.addEventListener('devicechange', () => this.prefer())
    navigator.permissions?.query({ name: 'camera' }).then((allowed) => allowed.addEventListener('change', again), again)
  }

  /** From now on that one, or '' for the browser's own choice. */
  choose(wanted) {
    this.wanted = wanted
    this.first = null // {deviceId, label} of the camera that was opened first: pulled out, it is gone back to
  }

  /** Opens it, where it is not open. */
  async open() {
    if (this.stream || this.opening || performance.now() - this.tried < AGAIN) return
    if (!navigator.mediaDevices?.getUserMedia) return (this.trouble = NONE)
    this.tried = performance.now()
    this.trouble ||= 'Waiting for the camera.'
    const mine = (this.opening = {})
    try {
      const choice = await this.choice()
      if (this.opening !== mine) return
      const stream = await navigator.mediaDevices.getUserMedia({ video: { ...SIZE, ...choice } })
      if (this.opening !== mine) return stream.getTracks().forEach((track) => track.stop())
      this.show(stream)
    } catch (error) {
      this.trouble = REASONS[error.name] || `Waiting for the camera: ${error.message}`
      if (error.name === 'NotAllowedError') this.tried = performance.now() + ASKED
    } finally {
      if (this.opening === mine) this.opening = null
    }
  }

  /** The constraint for the wanted camera, and for no other: pulled out, it is waited for. */
  async choice() {
    const first = await this.again()
    if (!first && !this.wanted) return { facingMode: 'user' }
    if (this.first) return { deviceId: { exact: (first || this.first).deviceId } } // a number may be another's by now
    const all = await named()
    const called = (one) => one.deviceId === this.wanted || one.label.toLowerCase().includes(this.wanted.toLowerCase())
    const found = Number(this.wanted) ? all[this.wanted - 1] : all.find(called)
    return { deviceId: { exact: found ? found.deviceId : this.wanted } }
  }

  /** Goes back to the first camera where another stood in for it. */
  async prefer() {
    const { stream } = this
    const first = await this.again()
    if (stream && first && first.deviceId !== idOf(stream) && this.stream === stream) this.close()
  }

  /** The first camera, where it is connected; in another socket it has another id. */
  async again() {
    const { deviceId, label } = this.first || {}
    const all = deviceId ? await cameras() : []
    return all.find((one) => one.deviceId === deviceId) || all.find((one) => label && one.label === label)
  }

  show(stream) {
    this.stream = stream
    this.first ||= { deviceId: idOf(stream), label: stream.getVideoTracks()[0].label }
    this.trouble = ''
    this.seen = { frames: 0, time: performance.now() }
    this.video.srcObject = stream
    this.video.play().then(this.opened, () => {}) // it was closed meanwhile
    stream.getVideoTracks()[0].addEventListener('ended', () => this.stream === stream && this.lose())
    this.prefer() // which may have come back meanwhile
  }

  lose() {
    this.close()
    this.trouble = 'Waiting for the camera: it gives no picture.'
  }

  close() {
    this.opening = null
    this.stream?.getTracks().forEach((track) => track.stop())
    this.stream = this.video.srcObject = null
    this.tried = -Infinity
  }

  /** A JPEG of what it sees now, so many pixels wide at most; null where there is nothing. */
  async shoot(width) {
    const { video, canvas } = this
    this.open() // which may wait for somebody's leave
    if (!this.stream || this.stale() || !video.videoWidth) return null
    if (video.paused) video.play().catch(() => {})
    this.trouble = this.black() ? BLACK : ''
    const scale = Math.min(1, width / video.videoWidth)
    canvas.width = Math.round(video.videoWidth * scale)
    canvas.height = Math.round(video.videoHeight * scale)
    canvas.getContext('2d', { alpha: false }).drawImage(video, 0, 0, canvas.width, canvas.height)
    return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', QUALITY))
  }

  /** Whether no new picture comes any more; a hidden page does not know. */
  stale() {
    if (this.stream.getVideoTracks()[0].readyState === 'ended') this.lose()
    const frames = this.video.getVideoPlaybackQuality?.().totalVideoFrames || 0 // some browsers count none of a camera
    const now = performance.now()
    if (frames !== this.seen.frames || document.hidden) this.seen = { frames, time: now }
    const patience = frames ? STALE : this.video.videoWidth ? Infinity : FIRST
    if (this.stream && now - this.seen.time > patience) this.lose()
    return !this.stream
  }

  black() {
    this.small.drawImage(this.video, 0, 0, 16, 9)
    const { data } = this.small.getImageData(0, 0, 16, 9)
    return data.every((value, index) => index % 4 === 3 || value < DARK)
  }
}

const idOf = (stream) => stream?.getVideoTracks()[0].getSettings().deviceId

/** The cameras there are; without their names until one was opened. */
export async function cameras() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) || []
  return devices.filter((one) => one.kind === 'videoinput')
}

/** The cameras with their names, which browsers tell to a page that has one open, or had. */
async function named() {
  const known = await cameras()
  if (!known.length || known.some((one) => one.label)) return known
  const stream = await navigator.mediaDevices.getUserMedia({ video: true }).catch((error) => {
    if (error.name !== 'NotReadableError') throw error // in use, but allowed
  })
  return cameras().finally(() => stream?.getTracks().forEach((track) => track.stop()))
}
