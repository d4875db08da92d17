// The last minutes as a ribbon: from left to right the time, one upon the other the shares of the expressions.
import { EMOJI } from './overlay.js'

const MINUTES = 5
const LEAST = 5 // seconds that its width is
const EVERY = 1000 // milliseconds from point to point
const CALM = 4 // seconds in which the ribbon follows by 63 %
const SIGN = 20 // seconds that a mood must last for its emoji to stand there

/** Keeps what was seen, and draws it. emotions: those there are, each with its colour and emoji. */
export class Ribbon {
  constructor(canvas, emotions) {
    this.canvas = canvas
    this.emotions = emotions
    this.points = [] // [seconds, shares by expression, mood]
    this.now = {}
    this.context = canvas.getContext('2d')
    new ResizeObserver(() => this.draw()).observe(canvas)
  }

  /** What an answer says: shares, or in a small group the mood alone; null where nobody is there. */
  add({ mood, shares }) {
    const seconds = performance.now() / 1000 // the clock on the wall may be put back
    const last = this.points.at(-1)
    if (last && seconds * 1000 - last[0] * 1000 < EVERY) return
    const goal = shares || (mood ? { [mood.emotion]: 1 } : {})
    const follow = last ? 1 - Math.exp(-(seconds - last[0]) / CALM) : 1
    this.now = Object.fromEntries(
      this.emotions.map(({ emotion }) => {
        const before = this.now[emotion] || 0
        return [emotion, before + follow * ((goal[emotion] || 0) - before)]
      }),
    )
    this.points.push([seconds, this.now, mood?.emotion])
    while (this.points[0][0] < seconds - 60 * MINUTES) this.points.shift()
    this.draw()
  }

  clear() {
    this.points = []
  }

  draw() {
    const { canvas, context, points } = this
    const ratio = Math.min(2, devicePixelRatio || 1)
    const [width, height] = [canvas.clientWidth * ratio, canvas.clientHeight * ratio].map(Math.round)
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
    context.clearRect(0, 0, width, height)
    if (points.length < 2) return
    const end = points.at(-1)[0]
    const span = Math.max(LEAST, end - points[0][0]) // at first it spans what there is
    const x = (seconds) => width * (1 - (end - seconds) / span)
    const under = points.map(() => 0)
    for (const { emotion, color } of this.emotions) {
      context.fillStyle = color
      context.beginPath()
      points.forEach(([seconds], index) => context.lineTo(x(seconds), height * (1 - under[index])))
      points.forEach(([, shares], index) => (under[index] += shares[emotion]))
      for (let index = points.length - 1; index >= 0; index--) {
        context.lineTo(x(points[index][0]), height * (1 - under[index]))
      }
      context.fill()
    }
    this.sign(x, height)
  }

  /** An emoji where a mood began that lasted. */
  sign(x, height) {
    const { context, points, emotions } = this
    Object.assign(context, { font: `${Math.round(0.72 * height)}px ${EMOJI}`, textBaseline: 'middle', fillStyle: '#fff' })
    let begun = 0
    points.forEach(([seconds, , mood], index) => {
      const over = index === points.length - 1 || points[index + 1][2] !== mood
      if (!over) return
      const [start] = points[begun]
      const known = emotions.find((one) => one.emotion === mood)
      if (known && seconds - start >= SIGN) context.fillText(known.emoji, x(start) + 0.2 * height, 0.56 * height)
      begun = index + 1
    })
  }
}
