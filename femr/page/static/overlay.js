// Boxes over the video that glide from answer to answer, each with its emoji. No numbers, no words.
const SETTLE = 0.14 // seconds in which a box goes 63 % of its way
const FADE = 0.35 // seconds in which one appears, or goes
const AHEAD = 0.7 // seconds for which a box goes on as it moved: answers are of pictures that are a moment old
const STEADY = 0.6 // weight of the newest speed
const MOST_PIXELS = 1920 // of the drawing's long side: more is not seen from across a room
/** The fonts that have emoji in colour. */
export const EMOJI = '"Apple Color Emoji", "Segoe UI Emoji", "Noto Color Emoji", sans-serif'

/** Draws faces over a video that fills its element, cut where it is too large, and mirrored or not. */
export class Overlay {
  constructor(canvas, video) {
    this.canvas = canvas
    this.video = video
    this.context = canvas.getContext('2d')
    this.faces = new Map() // number → where it is drawn, where it was seen and when, its speed, and how it looks
    this.mirrored = false
    this.emoji = new Map()
    this.painted = 0 // pictures so far
    new ResizeObserver(() => this.resize()).observe(canvas)
  }

  /** The faces of the newest answer; taken: when its picture was, in milliseconds. */
  show(faces, taken = performance.now()) {
    for (const face of this.faces.values()) face.shown = false
    for (const { number, box, emoji, color, emotion } of faces) {
      const known = this.faces.get(number) || { box: [...box], opacity: 0, speed: [0, 0] }
      const speed = known.seen && speedOf(known, box, taken)
      Object.assign(known, { seen: box, taken, speed: speed || known.speed, emoji, color, unclear: !emotion, shown: true })
      this.faces.set(number, known)
    }
    this.wake()
  }

  clear() {
    this.show([])
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas
    const ratio = Math.min(devicePixelRatio || 1, MOST_PIXELS / Math.max(width, height, 1))
    this.canvas.width = Math.round(width * ratio)
    this.canvas.height = Math.round(height * ratio)
    this.wake()
  }

  /** Paints until nothing moves any more. */
  wake() {
    if (this.frame) return
    this.time = performance.now()
    this.frame = requestAnimationFrame((now) => this.paint(now))
  }

  paint(now) {
    const seconds = Math.min(0.1, Math.max(0, (now - this.time) / 1000))
    this.time = now
    this.frame = null
    this.painted += 1
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height)
    let moving = false
    for (const [number, face] of this.faces) {
      moving = this.move(face, seconds) || moving
      if (!face.shown && face.opacity === 0) this.faces.delete(number)
      else this.draw(face)
    }
    if (moving) this.frame = requestAnimationFrame((later) => this.paint(later))
  }

  move(face, seconds) {
    const share = 1 - Math.exp(-seconds / SETTLE)
    const before = face.opacity
    const age = Math.min(AHEAD, (this.time - face.taken) / 1000)
    const to = face.seen.map((value, index) => value + age * face.speed[index % 2])
    face.box = face.box.map((value, index) => value + share * (to[index] - value))
    face.opacity = Math.min(1, Math.max(0, before + (face.shown ? seconds : -seconds) / FADE))
    return face.opacity !== before || face.box.some((value, index) => Math.abs(to[index] - value) > 2e-4)
  }

  /** Where a box is on the canvas: left, top, width, height. */
  place([x1, y1, x2, y2]) {
    const { width, height } = this.canvas
    const { videoWidth = 16, videoHeight = 9 } = this.video
    const scale = Math.max(width / (videoWidth || 16), height / (videoHeight || 9))
    const [w, h] = [videoWidth * scale, videoHeight * scale]
    const [left, right] = this.mirrored ? [1 - x2, 1 - x1] : [x1, x2]
    return [left * w - (w - width) / 2, y1 * h - (h - height) / 2, (right - left) * w, (y2 - y1) * h]
  }

  draw(face) {
    const { context, canvas } = this
    const [x, y, w, h] = this.place(face.box)
    const line = Math.max(1.5, canvas.height / 360)
    const round = 0.22 * Math.min(w, h)
    context.globalAlpha = face.opacity * (face.unclear ? 0.45 : 0.95)
    context.lineWidth = 2.4 * line
    context.strokeStyle = 'rgb(0 0 0 / 45%)'
    this.outline(x, y, w, h, round)
    context.lineWidth = line
    context.strokeStyle = face.unclear ? '#ddd' : face.color
    this.outline(x, y, w, h, round)
    if (face.unclear) return
    const size = Math.min(Math.max(0.62 * w, canvas.height / 28), canvas.height / 7)
    const top = y - 0.62 * size < 0 ? y + h - 0.4 * size : y - 0.62 * size
    context.drawImage(this.picture(face.emoji), x + (w - size) / 2, top, size, size)
  }

  outline(x, y, w, h, round) {
    const { context } = this
    context.beginPath()
    if (context.roundRect) context.roundRect(x, y, w, h, round)
    else context.rect(x, y, w, h)
    context.stroke()
  }

  /** An emoji as a picture: text of that size is slow to draw. */
  picture(emoji) {
    if (!this.emoji.has(emoji)) {
      const canvas = Object.assign(document.createElement('canvas'), { width: 160, height: 160 })
      const context = canvas.getContext('2d')
      Object.assign(context, { font: `124px ${EMOJI}`, textAlign: 'center', textBaseline: 'middle' })
      context.shadowColor = 'rgb(0 0 0 / 55%)'
      context.shadowBlur = 10
      context.fillText(emoji, 80, 88)
      this.emoji.set(emoji, canvas)
    }
    return this.emoji.get(emoji)
  }
}

/** How fast a face moves, in shares of the picture a second, [x, y]; no faster than its own size. */
function speedOf({ seen, taken: before, speed }, box, taken) {
  const seconds = Math.max(0.05, (taken - before) / 1000)
  return [0, 1].map((axis) => {
    const size = box[axis + 2] - box[axis]
    const now = (box[axis] + box[axis + 2] - seen[axis] - seen[axis + 2]) / 2 / seconds
    return STEADY * Math.max(-size, Math.min(size, now)) + (1 - STEADY) * speed[axis]
  })
}
