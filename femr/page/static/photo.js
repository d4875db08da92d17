// The Photo tab: whatever picture comes is read at once, and its answer drawn. An answer that comes late is not drawn.
import { Camera } from './camera.js'
import { drawFaces, placeLabels } from './faces.js'
import * as player from './player.js'
import { startSharing } from './sharing.js'

const NO_ANSWER = 'No answer came. Look whether you are online, and try again.'
const PATIENCE = 2000 // milliseconds until the place in line is told, and told anew
const LIKELY = 'happy' // what most pictures of people look

/** Brings the tab to life. server: the handlers of photo.py. */
export function start(element, server) {
  const root = element.querySelector('.stage')
  const $ = (selector) => root.querySelector(selector)
  const [told, card, figure, layer, image, face] = ['.told', '.card', '.picture', '.boxes', '.picture img', '.face'].map($)
  let turn = 0 // of what is read last: a picture, or what is said of its faces
  let picture = null // {path} or {example}, once the server has it
  let mood // of the picture, or the last that it had
  let number = 0 // of the picture in this visit
  let focused = null // when the picture came; what is away loses the focus
  let shows = {} // what faces of this picture show, as the visitor says
  const visit = new Map() // each picture's number → its question, with what the visitor and femr say of its faces

  const chosen = (name) => $(`input[name=${name}]:checked`).value
  const ask = (handler, question) => server[handler](question).then((answer) => answer || { error: NO_ANSWER })

  /** Reads a picture: a file of the visitor's, an example, or the last one once more. */
  async function read(source) {
    const mine = ++turn
    const wanted = () => mine === turn
    const guess = mood || LIKELY
    begin(source)
    const choice = player.choice()
    const options = { mode: chosen('mode'), played: player.played.slice(-1000) }
    const likely = ask('songs', { mood: guess, ...options }).then(({ songs }) => {
      if (choice === player.choice() && songs) player.prepare(songs[0])
      return songs
    })
    if (source.file) {
      say('📤', 'Sending the picture …')
      const path = await send(source.file).catch(() => null)
      if (!wanted()) return
      if (!path) return fail('The picture did not arrive. It may be too large, or you are offline.')
      picture = { path }
    } else if (source.example) picture = { example: source.example }
    say('🔍', 'Looking for faces …')
    const ticket = Math.floor(Math.random() * 2 ** 31)
    let reading = true
    const patience = setInterval(() => tellPlace(ticket, () => wanted() && reading), PATIENCE)
    const answer = await ask('read', { ...picture, model: chosen('model'), shows, ticket, ...options })
    reading = false
    clearInterval(patience)
    if (!wanted()) return
    if (answer.error) return fail(answer.error)
    draw(answer)
    mood = answer.mood.emotion
    press(mood)
    const songs = mood === guess ? await likely : null
    if (choice === player.choice()) player.play(songs || answer.songs)
  }

  /** Where a file lies on the server. Not by Gradio's `upload`, which tells of failures in a corner of the page. */
  async function send(file) {
    const body = new FormData()
    body.append('files', file, file.name)
    const response = await fetch(new URL('gradio_api/upload', document.baseURI), { method: 'POST', body })
    return response.ok && (await response.json())[0]
  }

  /** How many are read before this picture, while it waits. */
  async function tellPlace(ticket, wanted) {
    const { before, seconds } = await ask('place', { ticket })
    if (!before || !wanted()) return
    say('⏳', `${before === 1 ? 'One picture is' : `${before} pictures are`} before yours: about ${seconds} seconds.`)
  }

  /** Clears what was found before, and shows the new picture. */
  function begin(source) {
    player.stop()
    camera.close()
    clear()
    root.classList.add('answering')
    card.hidden = false
    scrollTo({ top: 0 })
    if (!source.file && !source.example) return
    picture = null
    shows = {}
    number += 1
    if (image.src.startsWith('blob:')) URL.revokeObjectURL(image.src)
    image.src = source.file ? URL.createObjectURL(source.file) : `femr/examples/${source.example}`
    image.alt = 'Your picture'
    image.hidden = false
    setRatio(source.width, source.height)
    makeRoom()
  }

  /** Until the picture has its size, what stands under it is away. */
  async function makeRoom() {
    const mine = number
    if (document.activeElement !== document.body) focused = document.activeElement
    document.body.classList.add('moving')
    if (!known()) {
      await image.decode().catch(() => {})
      if (mine !== number) return
      image.hidden = !image.naturalWidth // a broken one would be drawn; the server may show it later
      setRatio(image.naturalWidth, image.naturalHeight)
    }
    requestAnimationFrame(() => requestAnimationFrame(settle))
  }

  function settle() {
    document.body.classList.remove('moving')
    if (document.activeElement === document.body) focused?.focus({ preventScroll: true })
  }

  const known = () => figure.style.getPropertyValue('--ratio')

  function setRatio(width, height) {
    if (width && height) figure.style.setProperty('--ratio', width / height)
    else figure.style.removeProperty('--ratio')
  }

  function clear() {
    drawFaces(layer, [])
    closeFace()
    press(null)
    $('.table').hidden = false
    root.style.removeProperty('--mood')
    root.classList.remove('answered', 'failed')
  }

  function draw(answer) {
    const { mood: found } = answer
    root.style.setProperty('--mood', found.color || 'var(--border-color-primary)')
    const name = found.adjective ? found.adjective[0].toUpperCase() + found.adjective.slice(1) : ''
    say(found.emoji || '🔍', [found.reason, answer.note].filter(Boolean).join('. '), name)
    image.alt = answer.alt
    showIfUnseen(answer)
    drawFaces(layer, answer.faces, openFace)
    root.classList.add('answered')
    root.classList.toggle('moodless', !found.emotion)
    $('.selfie .words').textContent = 'Another selfie'
    $('.choose .words').textContent = 'Another photo'
    offerTable(answer.table)
  }

  /** HEIC, TIFF and the like: the server shows what the browser cannot. */
  async function showIfUnseen({ width, height }) {
    const mine = number
    await image.decode().catch(() => {})
    const ratio = image.naturalWidth / image.naturalHeight
    if (Math.abs(ratio - width / height) < 0.02 * ratio || !picture) return
    const shown = await ask('show', picture)
    if (mine !== number || !shown.picture) return
    image.src = shown.picture
    image.hidden = false
    setRatio(width, height)
  }

  function fail(words) {
    clear()
    card.hidden = !picture || image.hidden
    root.classList.add('failed')
    say('🙈', words)
  }

  function say(emoji, words, name = '') {
    const text = document.createElement('div')
    text.append(...(name ? [line('name', name)] : []), line('reason', words))
    told.replaceChildren(sign(emoji), text)
  }

  function line(name, words) {
    return Object.assign(document.createElement('div'), { className: name, textContent: words })
  }

  function offerTable(table) {
    const link = $('.table')
    link.hidden = !table
    if (link.href) URL.revokeObjectURL(link.href)
    link.href = URL.createObjectURL(new Blob(['\ufeff', table], { type: 'text/csv' })) // marked as UTF-8 for Excel
  }

  // one face

  function openFace(one, button) {
    const open = button.getAttribute('aria-expanded') === 'true'
    closeFace()
    if (open) return
    button.setAttribute('aria-expanded', 'true')
    const words = one.told ? `shows ${one.emotion}, you say` : `looks ${one.adjective}`
    const looks = line('name', ` Face ${one.number} ${words}${one.unclear ? ', but it is unclear' : ''}`)
    looks.prepend(sign(one.emoji))
    const why = one.why ? ` It is ${one.why}.` : ''
    face.replaceChildren(looks, line('reason', `Of ten people, ${one.people}.${why}`), ...one.bars.map(bar), correctionOf(one))
    face.hidden = false
    face.scrollIntoView({ block: 'nearest' })
  }

  /** What does it really show? The face's vote, the mood and the song follow. */
  function correctionOf(one) {
    const group = Object.assign(document.createElement('div'), { className: 'other', role: 'group' })
    group.ariaLabel = 'What this face really shows'
    group.append(line('ask', 'What does it really show?'))
    for (const { emotion, emoji, color } of one.bars) {
      const button = Object.assign(document.createElement('button'), { type: 'button', className: 'emoji', textContent: emoji })
      button.ariaLabel = button.title = emotion
      button.ariaPressed = String(one.told && one.emotion === emotion)
      button.style.setProperty('--mood', color)
      button.addEventListener('click', () => correct(one, emotion))
      group.append(button)
    }
    return group
  }

  async function correct(one, emotion) {
    const [mine, choice] = [++turn, player.choice()]
    shows = { ...shows, [one.number]: emotion }
    const entry = visit.get(number) || { says: {} }
    entry.question = { ...picture, model: chosen('model'), shows }
    entry.says[one.number] = one.read.emotion === emotion
    visit.set(number, entry)
    const options = { mode: chosen('mode'), played: player.played.slice(-1000) }
    const answer = await ask('read', { ...entry.question, ...options })
    if (mine !== turn) return
    if (answer.error) return fail(answer.error)
    redraw(answer)
    tellAgreement()
    const before = mood
    mood = answer.mood.emotion || mood
    if (mood === before || choice !== player.choice()) return
    press(mood)
    player.play(answer.songs)
  }

  /** Draws the answer in the place of the one before; the face that was open stays so, and the focus where it was. */
  function redraw(answer) {
    const boxes = () => [...layer.querySelectorAll('.box')]
    const focused = document.activeElement
    const [at, pressed] = [boxes().indexOf(focused), face.contains(focused) && focused.title]
    const open = boxes().indexOf(closeFace())
    draw(answer)
    boxes()[open]?.click()
    const again = pressed ? face.querySelector(`[title=${pressed}]`) : boxes()[at]
    again?.focus({ preventScroll: true })
  }

  function tellAgreement() {
    const said = [...visit.values()].flatMap(({ says }) => Object.values(says))
    $('.said').hidden = !said.length
    $('.agree').textContent = `You agreed with femr on ${said.filter(Boolean).length} of ${said.length}.`
  }

  function bar({ emotion, emoji, color, share }) {
    const row = document.createElement('div')
    row.className = 'bar'
    const track = line('track', '')
    track.style.setProperty('--mood', color)
    track.style.setProperty('--share', share)
    const word = line('word', ` ${emotion}`)
    word.prepend(sign(emoji))
    row.append(word, track, line('share', `${Math.round(100 * share)}%`))
    return row
  }

  function closeFace() {
    face.hidden = true
    const open = layer.querySelector('[aria-expanded=true]')
    open?.setAttribute('aria-expanded', 'false')
    return open
  }

  // music for another mood

  const buttons = [...root.querySelectorAll('[data-mood]')]

  function press(emotion) {
    for (const button of buttons) button.ariaPressed = String(button.dataset.mood === emotion)
  }

  async function playFor(emotion) {
    if (!emotion) return
    press(emotion)
    player.stop()
    const choice = player.choice()
    const question = { mood: emotion, mode: chosen('mode'), played: player.played.slice(-1000) }
    const answer = await ask('songs', question)
    if (choice === player.choice() && !answer.error) player.play(answer.songs)
  }

  for (const button of buttons) button.addEventListener('click', () => playFor(button.dataset.mood))

  // how pictures come

  const take = (file) => file && read({ file })
  const camera = new Camera($('.camera'), $('.selfie'), {
    opened: player.stop,
    taken: (file) => read({ file }),
    failed: (words) => {
      say('📷', words)
      $('.system').hidden = false
    },
  })
  $('.selfie').addEventListener('click', () => {
    player.stop()
    camera.open()
  })
  $('.choose').addEventListener('click', () => $('.chooser').click())
  for (const input of root.querySelectorAll('input[type=file]')) {
    input.addEventListener('change', () => {
      take(input.files[0])
      input.value = '' // so that the same file can be chosen again
    })
  }
  for (const button of root.querySelectorAll('[data-example]')) {
    const { example, width, height } = button.dataset
    button.addEventListener('click', () => read({ example, width, height }))
  }
  for (const input of root.querySelectorAll('input[name=model]')) {
    input.addEventListener('change', () => picture && read({}))
  }
  for (const input of root.querySelectorAll('input[name=mode]')) {
    input.addEventListener('change', () => playFor(buttons.find((one) => one.ariaPressed === 'true')?.dataset.mood))
  }
  startSharing(root, ask, (kind) => {
    const ticked = (name) => $(`input[name=${name}]`).checked
    if (kind === 'corrections') return { name: kind, pictures: [...visit.values()].map((one) => one.question), crops: ticked('crops') }
    const address = new URL('.', document.baseURI).href
    const playing = player.current()?.emotion || mood
    if (kind === 'playlist') return { name: playing, mood: playing, mode: chosen('mode'), address }
    const song = player.current()?.number ?? null
    const looks = { boxes: ticked('boxes'), blur: ticked('blur'), song, address: address.replace(/^https?:..|.$/g, '') }
    return { name: mood, ...picture, model: chosen('model'), mode: chosen('mode'), shows, ...looks }
  })
  takeWhatIsDroppedOrPasted(root, take)
  root.addEventListener('keydown', (event) => event.key === 'Escape' && closeFace()?.focus())
  new ResizeObserver(() => placeLabels(layer)).observe(layer)
  chooseFromAddress(root)
}

function sign(emoji) {
  const span = document.createElement('span')
  return Object.assign(span, { className: 'emoji', textContent: emoji, ariaHidden: 'true' })
}

function takeWhatIsDroppedOrPasted(root, take) {
  // other tabs have places of their own to drop files
  const here = () => root.offsetParent
  const files = (event) => event.dataTransfer?.types.includes('Files')
  const mark = (on) => root.classList.toggle('dropping', on)
  document.addEventListener('dragover', (event) => {
    if (!here() || !files(event)) return
    event.preventDefault()
    mark(true)
  })
  document.addEventListener('dragleave', (event) => event.relatedTarget || mark(false))
  document.addEventListener('drop', (event) => {
    if (!here() || !files(event)) return
    event.preventDefault()
    mark(false)
    take(event.dataTransfer.files[0])
  })
  document.addEventListener('paste', (event) => here() && take(event.clipboardData.files[0]))
}

/** ?model= and ?mode= choose what stands under Options. */
function chooseFromAddress(root) {
  const wanted = new URLSearchParams(location.search)
  for (const input of root.querySelectorAll('.options input')) {
    const words = [input.value, input.labels[0].textContent.trim().toLowerCase()]
    if (words.includes(wanted.get(input.name)?.toLowerCase())) input.checked = true
  }
}
