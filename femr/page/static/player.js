// The page's one player. Two native audio elements, so that a song can fade into the next; they stream by ranges.
// Where a camera chooses the songs, the next one is fetched as a whole: it sounds even if the server is away by then.
const FADE = 2 // seconds
const AHEAD = 20 // seconds that have to be there before the next song is fetched
const TAKEN = 10_000 // milliseconds until sound is tried again that was taken away again
const STALLED = 1500 // milliseconds without sound after which the next song begins, if it is there
const SOON = 2000 // milliseconds for the server to say what follows
const PATIENCE = 60_000 // milliseconds for a song to come
const MOST_KEPT = 64e6 // bytes of a song that is kept as a whole
const JUMP = 3 // seconds that a song may lack when it ends
const AGAIN = 60_000 // milliseconds after which a song that failed is tried again, and as many more each time
const SILENCE = 'data:audio/wav;base64,UklGRiYAAABXQVZFZm10IBAAAAABAAEAgD4AAAB9AAACABAAZGF0YQIAAAAAAA=='

const decks = [new Audio(), new Audio()]
const songs = new Map() // what each deck has loaded
const kept = new Map() // a song's address → that of its bytes, which are here
const large = new Set() // addresses of songs that are too large for that
const tries = new Map() // a song's address → how often it failed
const failed = new Map() // a song's number → until when it is passed over
let queue = [] // the songs that are to play, the present one first
let choices = 0 // how often it was said what is to be heard, or that nothing is
let volume = 1
let root = null
let fading = null
let gliding = null // the song that begins as soon as it sounds
let fetching = null // which song comes as a whole, and what stops it
let sure = null // the last song that gave way without a fault: kept, for when nothing else is to be had
let coming = null // the song after this one, where a camera chooses them
let held = false // paused by somebody
let skipping = null // somebody skips, and waits for what the server chooses
let taken = 0 // until when the system keeps the sound that it took away
let begun = 0 // when the song that plays began
let guest = null // what plays elsewhere on the page
let trouble = ''
export const played = [] // the numbers of this visit's songs

const [deck, spare] = [() => decks[0], () => decks[1]]
const part = (name) => root.querySelector(`.${name}`)
// a song that failed is not asked of the browser's cache again
const address = (song) => new URL(song.url + (tries.has(song.url) ? `?try=${tries.get(song.url)}` : ''), document.baseURI).href
const source = (song) => kept.get(song.url) || address(song)
const loaded = (audio, song) => same(songs.get(audio), song) && !audio.error
const same = (one, other) => one?.url === other?.url // each answer has cards of its own
// what a proxy says while the server restarts
const away = (response) => !response || [502, 503, 504].includes(response.status)
const live = (song) => song?.mood !== undefined // chosen for a camera's pictures
const level = (audio) => volume * Math.min(1, songs.get(audio)?.gain ?? 1)

/** Begins with the first of these songs. What played before ends at once, or fades into it. */
export function play(list, fade = false) {
  choices += 1
  stay()
  if (fade && queue.length && !deck().paused) return glide(list)
  stop()
  queue = [...list]
  if (queue.length) begin()
}

/** Ends the song, and shows none. */
export function stop() {
  choices += 1
  stay()
  gliding = null
  endFade()
  deck().pause()
  queue = []
  coming = null
  held = false
  show()
}

/** Changes whenever somebody chooses what is heard: a song that was asked for before that comes too late. */
export const choice = () => choices

/** The song that plays, or waits to. */
export const current = () => queue[0]

/** What follows the song that plays, or begins the music; it is fetched as a whole. */
export function follow(song) {
  coming = song
  if (queue.length) {
    const many = queue.length
    queue = song ? [queue[0], song] : [queue[0]]
    if (queue.length !== many) show()
    if (skipping && !wasBefore(song)) skipped()
  }
  if (!song || failed.has(song.number)) return
  if (root.dataset.state === 'failed') return play([song])
  if (!queue.length || ready()) keep(song).then(() => queue[0] && keep(queue[0]))
}

/** What a session has to know: the song, for how long it has been heard, what was heard and what cannot be. */
export function state() {
  for (const [number, until] of failed) if (performance.now() > until) failed.delete(number)
  const song = gliding || (root.dataset.state === 'failed' ? null : current())
  return {
    song: song?.number ?? null,
    mood: song?.mood ?? null,
    since: song && !gliding ? deck().currentTime : 0,
    paused: held && root.dataset.state !== 'failed',
    heard: [...played, ...(gliding ? [gliding.number] : [])].slice(-500),
    failed: [...failed.keys()],
  }
}

/** Seconds until the song that plays fades into the next; null where nobody knows. */
export const left = () => (queue.length && deck().duration ? deck().duration - deck().currentTime - FADE : null)

/** Why a song was passed over, once. */
export function complaint() {
  const words = trouble
  trouble = ''
  return words
}

/** Fetches a song's beginning, so that it can sound at once. */
export function prepare(song) {
  if (!song || fading || gliding || loaded(deck(), song) || loaded(spare(), song)) return
  load(spare(), song)
  spare().preload = 'auto'
}

/** Fetches a song as a whole, and has it ready. */
async function keep(song) {
  if (!live(song) || fetching || fading || gliding) return
  if (kept.has(song.url) || large.has(song.url)) return same(coming, song) && prepare(song)
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), PATIENCE)
  fetching = { song, stop }
  try {
    const response = await fetch(address(song), { signal: stop.signal })
    if (away(response)) return
    if (!response.ok) return fail(song)
    if (Number(response.headers.get('Content-Length')) > MOST_KEPT) {
      response.body.cancel()
      large.add(song.url)
      return prepare(song)
    }
    kept.set(song.url, URL.createObjectURL(await response.blob()))
  } catch {
    return // the server is away; the next answer asks for it again
  } finally {
    clearTimeout(timer)
    if (fetching?.stop === stop) fetching = null
  }
  forget()
  if (same(coming, song)) prepare(song)
}

/** Lets go of what was kept and is neither loaded nor to come. */
function forget() {
  const needed = [coming, sure, ...queue, ...songs.values()].map((song) => song?.url)
  for (const [url, blob] of kept) {
    if (needed.includes(url)) continue
    URL.revokeObjectURL(blob)
    kept.delete(url)
  }
}

function load(audio, song) {
  audio.src = source(song)
  songs.set(audio, song)
  weigh(audio, song)
}

/** Sets how loud a song plays: it may have been measured since the page was told of it. */
async function weigh(audio, song) {
  const answer = await fetch(new URL(`femr/gain/${song.number}`, document.baseURI)).catch(() => null)
  if (!answer?.ok) return // as loud as it was told
  song.gain = await answer.json()
  if (audio === deck() && songs.get(audio) === song && !fading) audio.volume = level(audio)
}

/** Begins the queue's first song on the spare deck, which becomes the deck. */
function begin() {
  gliding = null
  endFade()
  const song = queue[0]
  if (!loaded(spare(), song)) load(spare(), song)
  turn(song)
  deck().volume = level(deck())
  sound()
}

function turn(song) {
  const before = songs.get(deck())
  if (live(before) && !failed.has(before.number) && kept.has(before.url)) sure = before
  decks.reverse()
  if (deck().currentTime) deck().currentTime = 0
  played.push(song.number)
  held = false
  begun = performance.now()
  show()
  mark(song)
}

/** Fades into the first of these songs as soon as it sounds; until then the one that plays goes on. */
function glide(list) {
  const [song] = list
  if (same(gliding, song)) return
  endFade()
  gliding = song
  const after = spare()
  if (!loaded(after, song)) load(after, song)
  after.currentTime = 0
  after.volume = 0
  after.play().then(
    () => {
      // it may have become the deck meanwhile, or be wanted again
      if (gliding !== song) return after !== deck() && !same(gliding, song) && after.pause()
      gliding = null
      const before = deck()
      queue = [...list]
      turn(song)
      root.dataset.state = 'playing'
      show()
      crossFade(before, after)
    },
    (error) => {
      if (gliding !== song) return
      gliding = null
      if (error.name !== 'AbortError') check(song)
    },
  )
}

function sound() {
  const audio = deck()
  if (audio.error) load(audio, queue[0])
  held = false
  root.dataset.state = 'coming'
  audio.play().catch((error) => {
    if (audio !== deck() || !queue.length || error.name === 'AbortError') return
    if (error.name === 'NotAllowedError') {
      root.dataset.state = 'refused'
      show()
    } else check(queue[0])
  })
}

/** Goes on after what was not meant to be a pause: a sleep, or a machine that took the sound away. */
export const resume = () => queue.length && !held && deck().paused && sound()

/** The next song; fading, where a camera chooses them. */
export function next(fade = false) {
  if (!queue.length) return
  const rest = [...queue.slice(1), queue[0]]
  if (fade && !deck().paused) return glide(rest)
  deck().pause()
  queue = rest
  begin()
}

/** Skips the song, as somebody wants it: where a camera chooses, not to the one before, if another comes soon. */
export function skip() {
  if (!live(current())) return next()
  if (!wasBefore(queue[1])) return next(true)
  skipping ||= setTimeout(skipped, SOON)
}

function skipped() {
  stay()
  next(true)
}

/** Nobody skips any more. */
function stay() {
  clearTimeout(skipping)
  skipping = null
}

const wasBefore = (song) => song && song.number === played.at(-2)

/** Equal power: the two volumes' squares add up to one. */
function crossFade(before, after) {
  const start = performance.now()
  const step = () => {
    const share = Math.min(1, (performance.now() - start) / 1000 / FADE)
    after.volume = level(after) * Math.sin((share * Math.PI) / 2)
    before.volume = level(before) * Math.cos((share * Math.PI) / 2)
    if (share === 1) endFade()
  }
  fading = { timer: setInterval(step, 40), before, after }
  step()
}

function endFade() {
  if (!fading) return
  clearInterval(fading.timer)
  fading.before.pause()
  fading.after.volume = level(fading.after)
  fading = null
  forget()
}

/** A song does not sound: is it broken, or is the server away? */
async function check(song) {
  if (!kept.has(song.url)) {
    const there = await fetch(address(song), { headers: { Range: 'bytes=0-9' } }).catch(() => null)
    if (held && same(queue[0], song)) return
    if (away(there)) return same(queue[0], song) && (again(song) || setTimeout(retry, STALLED, song))
  }
  fail(song)
}

function retry(song) {
  if (held || !same(queue[0], song) || !deck().error) return
  if (queue[1] && kept.has(queue[1].url)) return next()
  load(deck(), song)
  sound()
}

/** Passes over a song that cannot be played. */
function fail(song) {
  if (held && same(queue[0], song)) return // whether it can be played is seen when it is to play again
  tries.set(song.url, (tries.get(song.url) || 0) + 1)
  failed.set(song.number, performance.now() + AGAIN * tries.get(song.url)) // the clock on the wall may be put back
  URL.revokeObjectURL(kept.get(song.url))
  kept.delete(song.url)
  trouble = `“${song.title}” cannot be played.`
  const first = same(queue[0], song)
  if (first && (deck().currentTime < 1 || performance.now() - begun < 1000)) played.pop() // it has not been heard
  queue = queue.filter((one) => !same(one, song))
  if (first && queue.length) return begin()
  if (first && !again(song)) {
    queue = [song]
    root.dataset.state = 'failed'
  }
  show()
}

/** Begins a song anew that is here, rather than be silent until another comes. Whether there is one. */
function again(song) {
  if (!live(song)) return false
  const before = spare().error ? null : songs.get(spare())
  const whole = [before, kept.has(sure?.url) && sure].find((one) => one && !failed.has(one.number) && !same(one, song))
  const one = whole || before // better one that breaks off than none
  if (!one || same(one, song)) return false
  queue = [one]
  begin()
  return true
}

/** How much of the song is there: enough to fetch the next one. */
function ready() {
  const { buffered, currentTime, duration } = deck()
  const there = buffered.length ? buffered.end(buffered.length - 1) : 0
  return there - currentTime > AHEAD || there >= duration - 1
}

function tick(audio) {
  if (audio !== deck() || !queue.length) return
  const rest = audio.duration - audio.currentTime
  if (queue.length > 1 && ready()) live(queue[1]) ? keep(queue[1]) : prepare(queue[1])
  if (rest <= FADE && audio.duration > 3 * FADE && queue.length > 1 && !fading && !audio.paused) next(true)
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
    `mood: ${song.adjective}`
  part('facts').replaceChildren([song.length, ...song.facts].filter(Boolean).join(' · '))
  if (song.link) {
    const link = { href: song.link, target: '_blank', rel: 'noopener noreferrer', textContent: `${song.site} ↗` }
    part('facts').append(' · ', Object.assign(document.createElement('a'), link))
  }
  part('play').setAttribute('aria-label', state === 'playing' ? 'Pause' : 'Play')
  part('next').hidden = queue.length < 2
  if (navigator.mediaSession) {
    const artwork = [{ src: new URL(song.cover, document.baseURI).href }]
    navigator.mediaSession.metadata = new MediaMetadata({ title: song.title, artist: 'femr', artwork })
  }
}

/** Pauses or goes on. */
export function toggle(on = queue.length ? deck().paused : held) {
  if (!queue.length) return void (held = !on) // for the song that comes
  if (on) return deck().paused && sound()
  stay()
  gliding = null
  endFade()
  held = true
  deck().pause()
}

/** Sets the volume, from 0 to 1. */
export function setVolume(value) {
  volume = Math.min(1, Math.max(0, value))
  part('volume').value = volume
  if (!fading) deck().volume = level(deck())
}

/** The volume, from 0 to 1. */
export const getVolume = () => volume

// one sound at a time: what plays in other parts of the page, in Gradio's players too, which hide in shadow roots
const playOf = HTMLMediaElement.prototype.play
function alone(media) {
  if (decks.includes(media)) {
    if (guest) guest.pause()
  } else if (!media.muted && !media.srcObject) {
    if (guest && guest !== media) guest.pause()
    guest = media
    gliding = null
    endFade()
    held = true
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
  const cards = [...card.closest('.cards').querySelectorAll('[data-play]')]
  const at = cards.indexOf(card)
  play([...cards.slice(at), ...cards.slice(0, at)].map((one) => JSON.parse(one.dataset.play)))
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
  audio.addEventListener('waiting', () => setTimeout(unstick, STALLED, audio, audio.currentTime))
  audio.addEventListener('pause', state('paused'))
  audio.addEventListener('error', () => {
    const song = songs.get(audio)
    if (!song || ![gliding, ...queue].some((one) => same(one, song))) return
    if (same(gliding, song)) gliding = null
    check(song)
  })
  audio.addEventListener('timeupdate', () => tick(audio))
  // somebody moves it, by the keys of a keyboard: nobody knows any more how much was heard
  audio.addEventListener('seeking', () => audio === deck() && audio.currentTime > 1 && (begun = -Infinity))
  audio.addEventListener('ended', () => audio === deck() && songs.has(audio) && queue.length && !gliding && ended(audio))
}

/** Where a song does not go on the next one begins, which is fetched first, if need be; if it does not come, another. */
function unstick(audio, time, looks = 0) {
  const stuck = audio === deck() && audio.currentTime === time && !audio.paused && queue.length
  if (!stuck) return
  const [song, after] = queue
  if (after && kept.has(after.url)) return next()
  if (!live(song)) return
  if (looks && again(song)) return
  if (after && !same(fetching?.song, after)) {
    fetching?.stop.abort()
    fetching = null
    keep(after)
  }
  setTimeout(unstick, STALLED, audio, time, looks + 1)
}

// where the next song did not come in time, whatever there is plays; and where the system took the sound away, as with
// speakers that are unplugged, a wall goes on without a hand
setInterval(() => {
  if (!queue.length || held) return
  if (deck().ended) {
    gliding = null
    next()
  } else if (root.dataset.state === 'paused' && document.body.classList.contains('wall') && performance.now() > taken) {
    taken = performance.now() + TAKEN
    resume()
  }
}, 1000)

/** A song that ends where it begins, or jumps to its end, is broken. */
function ended({ currentTime }) {
  const broken = currentTime < 1 || currentTime - (performance.now() - begun) / 1000 > JUMP
  broken ? fail(queue[0]) : next()
}

/** Takes over the player's part of the page. */
export function start(element) {
  root = element.querySelector('.player')
  part('play').addEventListener('click', () => toggle())
  part('next').addEventListener('click', skip)
  part('volume').addEventListener('input', (event) => setVolume(Number(event.target.value)))
  part('about').addEventListener('click', () => {
    const open = part('facts').hidden
    part('facts').hidden = !open
    part('about').setAttribute('aria-expanded', String(open))
  })
  if (navigator.mediaSession) {
    navigator.mediaSession.setActionHandler('play', () => toggle(true))
    navigator.mediaSession.setActionHandler('pause', () => toggle(false))
    navigator.mediaSession.setActionHandler('nexttrack', skip)
  }
  show()
}
