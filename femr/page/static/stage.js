// The stage: a camera's picture to the server, its answer over the video and into the music, and the next picture. One
// request is on its way at a time. What fails is tried again until it works; the music goes on meanwhile.
import { host } from './host.js'
import { Overlay } from './overlay.js'
import * as player from './player.js'
import { Ribbon } from './ribbon.js'
import { Webcam, cameras } from './webcam.js'

const PACE = 200 // milliseconds from picture to picture at least
const PULSE = 1500 // and from word to word while there is no picture
const AGAIN = [400, 800, 1500] // until the server is asked again that did not answer
const PATIENCE = [5000, 8000] // milliseconds for an answer, and where the last one did not come
const OLD = 10_000 // milliseconds after which what was seen is not shown any more
const WIDTH = 1280 // pixels of a picture
const ASLEEP = 5000 // milliseconds without a tick after which the machine slept
const SOON = 30 // seconds before its end that a song's follower is told
const TOLD = 5000 // milliseconds that a broken song is named
const BUSY = 'Waiting for femr: it has too much to do. The music goes on.'
const AWAY = 'Waiting for femr: it does not answer. The music goes on.'

/** Brings a stage to life. */
export function start(element) {
  const root = element.querySelector('.live')
  const $ = (selector) => root.querySelector(selector)
  const [form, scene, video] = ['.start', '.scene', 'video'].map($)
  const webcam = new Webcam(video)
  const overlay = new Overlay($('.faces'), video)
  const ribbon = new Ribbon($('.ribbon'), JSON.parse(root.dataset.emotions))
  let run = null // what runs now: its token and its options
  let due = null // when the next song begins: {at, mood}
  let note = '' // what the music does
  let news = { words: '', until: 0 } // and what is more important for a while
  const house = host(root, () => Boolean(run))

  function begin() {
    const value = (name) => form.elements[name].value
    const is = (name) => form.elements[name].checked
    const options = { mode: value('mode'), smallest_face: Number(value('smallest')) || null, every: Number(value('every')) }
    run = { token: token(), options, misses: 0, seen: performance.now(), shown: false, asked: null, pause: null }
    webcam.choose(value('camera'))
    overlay.mirrored = is('mirror')
    scene.classList.toggle('mirrored', is('mirror'))
    scene.classList.toggle('unseen', !is('video'))
    $('.told').hidden = !is('told')
    form.hidden = true
    scene.hidden = false
    player.stop()
    ribbon.clear()
    say({ sentence: 'looking for faces' })
    house.begin()
    loop(run)
  }

  /** Ends it: camera, stream and music. */
  function stop(words = '') {
    if (!run) return
    run.asked?.abort()
    run.pause?.()
    run = due = null
    webcam.close()
    overlay.clear()
    player.stop()
    house.end()
    wait('')
    form.hidden = false
    scene.hidden = true
    $('.stopped').textContent = words
    $('.stopped').hidden = !words
    form.querySelector('.go').focus({ preventScroll: true })
  }

  async function loop(mine) {
    while (run === mine) {
      const begun = performance.now()
      const picture = await webcam.shoot(WIDTH).catch(() => null)
      if (run !== mine) return
      if (!picture) lack(mine)
      const answered = await ask(mine, picture, begun)
      if (run !== mine) return
      const rest = answered ? (picture ? PACE : PULSE) - (performance.now() - begun) : AGAIN[Math.min(mine.misses, 3) - 1]
      await new Promise((resolve) => {
        mine.pause = resolve
        setTimeout(resolve, Math.max(0, rest))
      })
    }
  }

  /** Sends a picture, or a word without one, and does what the answer says. Whether there was an answer. */
  async function ask(mine, picture, begun) {
    const told = { wall: house.wall, ...mine.options, ...player.state(), done: mine.done }
    const asked = (mine.asked = new AbortController())
    const patience = setTimeout(() => asked.abort(), PATIENCE[Math.min(mine.misses, 1)])
    try {
      const response = await fetch(`live/${picture ? 'frame' : 'pulse'}?visit=${mine.token}`, {
        method: 'POST',
        headers: { 'Femr-Told': JSON.stringify(told), ...(picture && { 'Content-Type': 'image/jpeg' }) },
        body: picture,
        signal: asked.signal,
      })
      const answer = response.status === 204 ? null : await response.json()
      if (run !== mine) return true
      if (!answer) late(mine)
      else if (response.status === 410) stop(answer.error)
      else if (!response.ok) throw Error(answer.error)
      else take(mine, answer, told, picture, begun)
      return true
    } catch (error) {
      if (run !== mine) return true
      mine.misses += 1
      if (mine.misses > 1) {
        wait(error.name === 'Error' && error.message ? error.message : AWAY)
        unsay()
      }
      return false
    } finally {
      clearTimeout(patience)
    }
  }

  /** There is no picture. */
  function lack(mine) {
    if (!mine.misses) wait(webcam.trouble)
    if (mine.shown) unsay()
  }

  /** The picture was too old when its turn came, as others are served, too. */
  function late(mine) {
    mine.misses = 0
    if (performance.now() - mine.seen < OLD) return
    wait(BUSY)
    unsay()
  }

  function take(mine, answer, told, picture, begun) {
    mine.misses = 0
    wait(webcam.trouble)
    if (answer.faces) {
      Object.assign(mine, { seen: performance.now(), shown: true })
      overlay.show(answer.faces, begun)
      say(answer)
      ribbon.add(answer)
      const detail = { taken: performance.now() - begun, faces: answer.faces.length }
      root.dispatchEvent(new CustomEvent('answer', { detail }))
    }
    if ('song' in answer) sing(answer, told)
    for (const command of answer.commands) {
      obey(mine, command)
      mine.done = command.id
    }
  }

  /** The music, where the server has chosen another song than the one that it was told of. */
  function sing({ song, next, note: said }, sent) {
    const { song: now, paused } = player.state()
    if (song && song.number !== sent.song && now === sent.song && !paused) player.play([song], true)
    if (now === sent.song) player.follow(next?.song)
    due = next && { mood: next.mood, at: next.seconds === null ? null : performance.now() + 1000 * next.seconds }
    note = said || ''
  }

  function obey(mine, { name: command, value }) {
    if (command === 'skip') player.skip()
    if (command === 'pause' || command === 'play') player.toggle(command === 'play')
    if (command === 'volume') player.setVolume(value)
    if (command === 'mode') mine.options.mode = value
  }

  function say({ mood = null, sentence }) {
    root.style.setProperty('--mood', mood?.color || '#3a3531')
    const word = mood ? mood.adjective : ''
    if ($('.name').textContent !== word) {
      $('.name').textContent = word
      $('.crowd .emoji').textContent = mood?.emoji || ''
      $('.crowd').animate?.({ opacity: [0, 1], translate: ['0 0.15em', '0 0'] }, { duration: 500, easing: 'ease-out' })
    }
    $('.reason').textContent = sentence
  }

  /** What was seen is not so any more. */
  function unsay() {
    overlay.clear()
    say({ sentence: '' })
    ribbon.add({})
  }

  function wait(words) {
    if ($('.waits').textContent !== words) $('.waits').textContent = words
    $('.waits').hidden = !words
  }

  /** The song and what comes next. */
  function tell() {
    const { paused } = player.state()
    const song = player.current()
    $('.song .title').textContent = song ? `♫ ${song.title}` : ''
    const left = due?.at ? (due.at - performance.now()) / 1000 : player.left()
    const seconds = left === null ? null : Math.max(0, Math.ceil(left))
    const soon = due && seconds !== null && !(run.misses > 1) && (due.at || seconds <= SOON)
    const coming = soon && `Next: ${due.mood}, in ${seconds} s`
    const complaint = player.complaint()
    if (complaint) news = { words: complaint, until: performance.now() + TOLD }
    const words = performance.now() < news.until ? news.words : paused ? 'Paused' : coming || note
    if ($('.song .next').textContent !== words) $('.song .next').textContent = words
  }

  /** The cameras by their names, which browsers tell when one is open. */
  async function name() {
    const select = form.elements.camera
    const chosen = select.value
    const first = select.options[0]
    const known = (await cameras()).filter((one) => one.label)
    select.replaceChildren(first, ...known.map((one) => new Option(one.label, one.deviceId)))
    select.value = chosen
    if (select.selectedIndex < 0) select.selectedIndex = 0
  }

  /** Goes on at once: after a sleep, when the network is back, when the page is seen again. */
  function wake() {
    if (!run) return
    run.misses && run.asked?.abort()
    run.pause?.()
    player.resume()
  }

  webcam.opened = () => {
    run?.pause?.()
    name()
  }
  let ticked = Date.now()
  setInterval(() => {
    const now = Date.now()
    if (run && Math.abs(now - ticked) > ASLEEP) {
      run.asked?.abort()
      wake()
    }
    ticked = now
    if (!run) return
    tell()
    if (!root.isConnected || root.offsetParent === null) stop()
  }, 250)
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    begin()
  })
  $('.stop').addEventListener('click', () => stop())
  addEventListener('online', wake)
  document.addEventListener('visibilitychange', () => document.hidden || wake())
  root.dataset.ready = ''
}

/** 128 bits that nobody can guess. */
function token() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
