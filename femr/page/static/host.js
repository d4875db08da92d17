// What a host does with a stage: full screen, keys; and what a screen does that nobody touches: it stays awake, and shows
// no pointer and no buttons.
import * as player from './player.js'

const IDLE = 3000 // milliseconds without a touch after which buttons go
const STEP = 0.05 // of the volume
const TYPING = 'input, select, textarea, summary, [contenteditable]'

/** The host of a stage. */
export function host(root, running) {
  const wall = document.body.classList.contains('wall')
  const full = root.querySelector('.full')
  let lock = null
  let idle = null

  const alone = () => wall || Boolean(document.fullscreenElement)

  async function stayAwake() {
    if (!running() || lock || document.hidden) return
    lock = await navigator.wakeLock?.request('screen').catch(() => null)
    lock?.addEventListener('release', () => (lock = null))
  }

  function fill(on = !document.fullscreenElement) {
    const asked = on ? document.documentElement.requestFullscreen?.() : document.exitFullscreen?.()
    asked?.catch(() => {}) // an iPhone has none, and some frames may not
  }

  function touch() {
    document.body.classList.remove('idle')
    clearTimeout(idle)
    if (running() && alone()) idle = setTimeout(() => document.body.classList.add('idle'), IDLE)
  }

  const keys = {
    ' ': () => player.toggle(),
    n: () => player.skip(),
    ArrowUp: () => player.setVolume(player.getVolume() + STEP),
    ArrowDown: () => player.setVolume(player.getVolume() - STEP),
    f: () => fill(),
  }
  document.addEventListener('keydown', (event) => {
    touch()
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key]
    const button = event.key === ' ' && event.target.closest('button')
    if (!act || button || !running() || !alone() || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.target.closest(TYPING)) return
    event.preventDefault()
    if (!event.repeat || event.key.startsWith('Arrow')) act()
  })
  // a tap that wakes the buttons presses none of them
  let woke = false
  document.addEventListener('pointerdown', () => (woke = document.body.classList.contains('idle')), true)
  function swallow(event) {
    if (!woke || !event.detail) return
    event.preventDefault()
    event.stopPropagation()
  }
  for (const kind of ['mousedown', 'click']) document.addEventListener(kind, swallow, true)
  for (const kind of ['pointermove', 'pointerdown', 'focusin']) document.addEventListener(kind, touch)
  document.addEventListener('visibilitychange', stayAwake)
  document.addEventListener('fullscreenchange', () => {
    const on = Boolean(document.fullscreenElement)
    document.body.classList.toggle('filled', on && running())
    full.setAttribute('aria-pressed', String(on))
    touch()
  })
  full.addEventListener('click', () => fill())
  setInterval(stayAwake, 10_000)

  return {
    wall,
    begin() {
      document.body.classList.add('running')
      document.body.classList.toggle('filled', Boolean(document.fullscreenElement))
      if (wall) fill(true)
      stayAwake()
      touch()
    },
    end() {
      document.body.classList.remove('running', 'idle', 'filled')
      lock?.release()
    },
  }
}
