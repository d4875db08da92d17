// The host's phone: a code once, then buttons for all walls. See femr/page/remote.py.
const [form, controls] = ['form', '.controls'].map((name) => document.querySelector(name))
const [now, said] = ['now', 'said'].map((name) => document.getElementById(name))
const EVERY = 3000 // milliseconds from look to look at what the walls show

/** Has the server do something; whether it did. */
async function send(asked) {
  let response = null
  try {
    const headers = { 'Content-Type': 'application/json' }
    response = await fetch('remote', { method: 'POST', headers, body: JSON.stringify(asked) })
  } catch {
    said.textContent = 'femr cannot be reached. Is this phone in the same network?'
    return false
  }
  const { error } = await response.json().catch(() => ({ error: 'femr does not answer.' })) // but a proxy does
  said.textContent = response.ok ? '' : error
  if (response.status === 401) show(false)
  return response.ok
}

function show(connected) {
  form.hidden = connected
  controls.hidden = !connected
  if (connected) controls.querySelector('button').focus()
  else form.code.focus()
}

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  if (await send({ code: form.code.value })) show(true)
  else form.code.select()
})

controls.addEventListener('click', async ({ target }) => {
  const { name, value } = target.dataset
  if (!name || !(await send({ name, value }))) return
  for (const other of controls.querySelectorAll('[data-name=mode]')) {
    if (name === 'mode') other.setAttribute('aria-pressed', String(other === target))
  }
})
controls.addEventListener('change', ({ target }) => send({ name: 'volume', value: target.valueAsNumber }))

async function look() {
  try {
    const event = await (await fetch('events?once')).json()
    now.textContent = [event?.song && `♫ ${event.song}`, event?.mood].filter(Boolean).join(' · ')
  } catch {
    now.textContent = ''
  }
}
// a phone that has had the code is let in by its cookie
fetch('remote', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' }).then(
  (response) => response.ok && show(true),
  () => {}
)
setInterval(() => document.hidden || look(), EVERY)
look()
