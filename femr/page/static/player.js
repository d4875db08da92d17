// The page's one player. Two native audio elements, so that a song can fade into the next; they stream by ranges.
const FADE = 2 // seconds
const AHEAD = 20 // seconds that have to be there before the next song is fetched
const SILENCE = 'data:audio/wav;base64,UklGRiYAAABXQVZFZm10IBAAAAABAAEAgD4AAAB9AAACABAAZGF0YQIAAAAAAA=='

const decks = [new Audio(), new Audio()]
let queue = [] // the songs that are to play, the present one first
let volume = 1
let root = null
let fading = null
let guest = null // what plays elsewhere on the page
export const played = [] // the numbers of this visit's songs

const [deck, spare] = [() => decks[0], () => decks[1]]
const part = (name) => root.querySelector(`.${name}`)
const address = (song) => new URL(song.url, document.baseURI).href
const loaded = (audio, song) => audio.src === address(song)

/** Begins with the first of these songs. What played before ends at once, or fades into it. */
export function play(songs, fade = false) {
  const before = deck()
  if (!fade || before.paused) stop()
  endFade()
  queue = [...songs]
  if (queue.length) begin()
  if (before !== deck() && !before.paused) crossFade(before, deck())
}

/** Ends the song, and shows none. */
export function stop() {
  endFade()
  deck().pause()
  queue = []
  show()
}

/** The song that plays, or waits to. */
export const current = () => queue[0]

/** Fetches a song's beginning, so that it can sound at once. */
export function prepare(song) {
  if (!song || fading || loaded(deck(), song)) return
  if (!loaded(spare(), song)) spare().src = address(song)
  spare().preload = 'auto'
}

/** Begins the queue's first song on the spare deck, which becomes the deck. */
function begin() {
  const song = queue[0]
  prepare(song)
  if (loaded(spare(), song)) decks.reverse()
  deck().currentTime = 0
  deck().volume = volume
  played.push(song.number)
  show()
  sound()
  mark(song)
}

function sound() {
  const audio = deck()
  root.dataset.state = 'coming'
  audio.play().catch((error) => {
    if (audio !== deck() || error.name === 'AbortError') return
    root.dataset.state = error.name === 'NotAllowedError' ? 'refused' : 'failed'
    show()
  })
}

function next(fade = false) {
  endFade()
  if (!queue.length) return
  const before = deck()
  queue.push(queue.shift())
  if (!fade) before.pause()
  begin()
  if (before !== deck() && !before.paused) crossFade(before, deck())
}

function crossFade(before, after) {
  const start = performance.now()
  const step = () => {
    const share = Math.min(1, (performance.now() - start) / 1000 / FADE)
    after.volume = volume * share
    before.volume = volume * (1 - share)
    if (share === 1) endFade()
  }
  fading = { timer: setInterval(step, 50), before, after }
  step()
}

function endFade() {
  if (!fading) return
  clearInterval(fading.timer)
  fading.before.pause()
  fading.after.volume = volume
  fading = null
}

function follow(audio) {
  if (audio !== deck() || !queue.length) return
  const left = audio.duration - audio.currentTime
  const ranges = audio.buffered
  const there = ranges.length ? ranges.end(ranges.length - 1) : 0
  if (there - audio.currentTime > AHEAD || there >= audio.duration - 1) prepare(queue[1 % queue.length])
  if (left <= FADE && audio.duration > 3 * FADE && queue.length > 1 && !fading && !audio.paused) next(true)
}

function show() {
  if (!root) return
  const song = queue[0]
  document.body.classList.toggle('with-player', Boolean(song))
  if (!song) {
    root.dataset.state = 'none'
    return
  }
  const state = root.dataset.state
  root.style.setProperty('--mood', song.color)
  root.style.setProperty('--ink', song.ink)
  if (part('cover').getAttribute('src') !== song.cover) part('cover').src = song.cover
  part('title').textContent = song.title
  part('line').textContent =
    { refused: 'Tap Play to hear it', failed: 'This song cannot be played', coming: 'The song is coming …' }[state] ||
    `for a ${song.emotion} mood`
  part('facts').textContent = [song.length, ...song.facts].filter(Boolean).join(' · ')
  part('play').setAttribute('aria-label', state === 'playing' ? 'Pause' : 'Play')
  part('next').hidden = queue.length < 2
  if (navigator.mediaSession) {
    const artwork = [{ src: new URL(song.cover, document.baseURI).href }]
    navigator.mediaSession.metadata = new MediaMetadata({ title: song.title, artist: 'femr', artwork })
  }
}

function toggle() {
  if (deck().paused) sound()
  else {
    endFade()
    deck().pause()
  }
}

// one sound at a time: what plays in other parts of the page, in Gradio's players too, which hide in shadow roots
const playOf = HTMLMediaElement.prototype.play
function alone(media) {
  if (decks.includes(media)) {
    if (guest && media === deck()) guest.pause()
  } else if (!media.muted && !media.srcObject) {
    if (guest && guest !== media) guest.pause()
    guest = media
    endFade()
    deck().pause()
  }
}
HTMLMediaElement.prototype.play = function () {
  alone(this)
  return playOf.call(this)
}
document.addEventListener('play', (event) => alone(event.target), true)

// a song's card, wherever it is, plays its song and then those beside it
document.addEventListener('click', (event) => {
  const card = event.target.closest?.('[data-play]')
  if (!card) return
  const songs = [...card.closest('.cards').querySelectorAll('[data-play]')]
  const at = songs.indexOf(card)
  play([...songs.slice(at), ...songs.slice(0, at)].map((one) => JSON.parse(one.dataset.play)))
})

function mark(song) {
  for (const card of document.querySelectorAll('[data-play]')) {
    card.ariaCurrent = JSON.parse(card.dataset.play).number === song.number ? 'true' : null
  }
}

// iOS lets an element play later only if it has played within a tap
function unlock() {
  for (const audio of decks) {
    if (audio.src) continue
    audio.src = SILENCE
    audio.play().catch(() => {}) // refused: the button says so when a song comes
  }
  for (const kind of ['click', 'keydown']) document.removeEventListener(kind, unlock, true)
}
for (const kind of ['click', 'keydown']) document.addEventListener(kind, unlock, true)

for (const audio of decks) {
  const state = (name) => () => {
    if (audio !== deck() || !queue.length || !root) return
    root.dataset.state = name
    show()
  }
  audio.addEventListener('playing', state('playing'))
  audio.addEventListener('waiting', state('coming'))
  audio.addEventListener('pause', state('paused'))
  audio.addEventListener('error', state('failed'))
  audio.addEventListener('timeupdate', () => follow(audio))
  audio.addEventListener('ended', () => audio === deck() && next())
}

/** Takes over the player's part of the page. */
export function start(element) {
  root = element.querySelector('.player')
  part('play').addEventListener('click', toggle)
  part('next').addEventListener('click', () => next())
  part('volume').addEventListener('input', (event) => {
    volume = Number(event.target.value)
    endFade()
    deck().volume = volume
  })
  part('about').addEventListener('click', () => {
    const open = part('facts').hidden
    part('facts').hidden = !open
    part('about').setAttribute('aria-expanded', String(open))
  })
  if (navigator.mediaSession) {
    navigator.mediaSession.setActionHandler('play', toggle)
    navigator.mediaSession.setActionHandler('pause', toggle)
    navigator.mediaSession.setActionHandler('nexttrack', () => next())
  }
  show()
}
