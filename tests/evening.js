// Put into the wall's page before its own scripts: hears what it plays, and keeps a diary of its answers.
(() => {
  const evening = { levels: [], answers: [], songs: [], ages: [], failed: [], failing: [], painted: 0, streams: [], camera: true }
  window.evening = evening
  const now = performance.now.bind(performance)

  // every element's sound goes through one meter on its way out: [seconds of sound, peak], ten a second
  const METER = `registerProcessor('meter', class extends AudioWorkletProcessor {
    process([[...channels]], [out]) {
      channels.forEach((samples, n) => out[n]?.set(samples))
      this.peak = Math.max(this.peak ?? 0, ...channels.map((samples) => samples.reduce((a, b) => Math.max(a, Math.abs(b)), 0)))
      if (Math.floor(currentTime * 10) !== this.tenth) {
        this.tenth = Math.floor(currentTime * 10)
        this.port.postMessage([currentTime, this.peak])
        this.peak = 0
      }
      return true
    }
  })`
  let input = null
  const heard = new WeakSet()
  const meter = async (context) => {
    await context.audioWorklet.addModule(URL.createObjectURL(new Blob([METER], { type: 'text/javascript' })))
    const node = new AudioWorkletNode(context, 'meter', { outputChannelCount: [2] })
    node.port.onmessage = ({ data }) => evening.levels.push(data)
    input.connect(node).connect(context.destination)
  }
  const play = HTMLMediaElement.prototype.play
  HTMLMediaElement.prototype.play = function () {
    if (this instanceof HTMLAudioElement && !heard.has(this)) {
      heard.add(this)
      if (!input) {
        const context = new AudioContext()
        input = context.createGain()
        meter(context)
      }
      input.context.createMediaElementSource(this).connect(input)
    }
    return play.call(this)
  }

  // answers to frames: [seconds on the clock of the page, milliseconds from asking to answer, status, answer]; and which
  // songs have begun and which failed, as the page tells the server: [seconds, number]
  const ask = window.fetch
  window.fetch = async (...asked) => {
    const start = now()
    const frame = String(asked[0]?.url ?? asked[0]).includes('live/frame')
    const told = JSON.parse(asked[1]?.headers?.['Femr-Told'] ?? '{}')
    const heard = told.heard ?? evening.songs.map(([, number]) => number)
    const differs = heard.findIndex((number, at) => number !== evening.songs[at]?.[1])
    const begun = heard.slice(differs < 0 ? heard.length : differs)
    evening.songs.length = heard.length - begun.length // one that fails is taken back
    for (const number of begun) evening.songs.push([start / 1000 - (number === told.song ? told.since : 0), number])
    for (const number of told.failed ?? []) if (!evening.failing.includes(number)) evening.failed.push([start / 1000, number])
    evening.failing = told.failed ?? evening.failing
    const note = (status, answer) => frame && evening.answers.push([now() / 1000, now() - start, status, answer])
    try {
      const response = await ask(...asked)
      const cut = () => note(response.ok ? 0 : response.status, null) // on its way: that is no answer
      if (frame) response.clone().json().then((answer) => note(response.status, answer), cut)
      return response
    } catch (error) {
      note(0, null)
      throw error
    }
  }

  // the camera can be pulled out and put back, or stop without a word
  const devices = navigator.mediaDevices
  const open = devices?.getUserMedia.bind(devices)
  if (open) devices.getUserMedia = async (wanted) => {
    if (!evening.camera) throw new DOMException('Requested device not found', 'NotFoundError')
    const stream = await open(wanted)
    evening.streams.push(stream)
    return stream
  }
  evening.pull = () => {
    evening.camera = false
    for (const track of evening.streams.splice(0).flatMap((stream) => stream.getTracks())) {
      track.stop()
      track.dispatchEvent(new Event('ended'))
    }
    devices.dispatchEvent(new Event('devicechange'))
  }
  evening.freeze = () => (document.querySelector('video').srcObject = document.createElement('canvas').captureStream(0))
  evening.plug = () => {
    evening.camera = true
    devices.dispatchEvent(new Event('devicechange'))
  }

  // the clock on the wall can be put forward and back
  const clock = Date.now
  evening.shift = 0
  Date.now = () => clock() + evening.shift

  // the tab can be hidden
  evening.hide = (hidden) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden })
    const state = hidden ? 'hidden' : 'visible'
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state })
    document.dispatchEvent(new Event('visibilitychange'))
  }

  // how old a picture is when its faces are shown, as the stage says: milliseconds
  document.addEventListener('answer', ({ detail }) => evening.ages.push(detail.taken), true)

  // how often the boxes over the video are painted
  const clear = CanvasRenderingContext2D.prototype.clearRect
  CanvasRenderingContext2D.prototype.clearRect = function (...place) {
    evening.painted += this.canvas.className === 'faces'
    return clear.apply(this, place)
  }

  /** What was noted since the last time, and how many pictures were painted. */
  evening.drain = () => ({
    now: now() / 1000,
    painted: evening.painted,
    levels: evening.levels.splice(0),
    answers: evening.answers.splice(0),
    songs: evening.songs,
    ages: evening.ages.splice(0),
    failed: evening.failed.splice(0),
  })
})()
