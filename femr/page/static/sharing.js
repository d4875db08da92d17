// What a visitor takes along: made by the server, shared where the browser can, else saved under the mood's name.
const NAMES = { share: 'jpg', clip: 'mp4', playlist: 'm3u8', corrections: 'zip' }
const WAITS = { share: 'Making the card …', clip: 'Making the clip …', playlist: '', corrections: 'Putting it together …' }

/** Brings the buttons to life. ask: sends a question; question(kind): what is asked, mood included in `name`. */
export function startSharing(root, ask, question) {
  const told = root.querySelector('.taken')
  for (const button of root.querySelectorAll('[data-take]')) {
    button.addEventListener('click', async () => {
      const kind = button.dataset.take
      const { name, ...asked } = question(kind)
      const focused = document.activeElement
      button.disabled = true
      told.textContent = WAITS[kind]
      const answer = await ask(kind, asked)
      button.disabled = false
      if (focused === button && document.activeElement === document.body) button.focus({ preventScroll: true })
      told.textContent = answer.error || ''
      if (!answer.file) return
      const content = await (await fetch(answer.file)).blob()
      const file = new File([content], `femr-${name}.${NAMES[kind]}`, { type: content.type })
      told.textContent = [await handOver(file), answer.note].filter(Boolean).join(' ')
    })
  }
}

/** Shares a file with an app, or saves it; what is to be told of it. */
async function handOver(file) {
  if (['image/jpeg', 'video/mp4'].includes(file.type) && navigator.canShare?.({ files: [file] })) {
    try {
      await navigator.share({ files: [file], title: 'femr' })
      return 'Shared.'
    } catch (error) {
      if (error.name === 'AbortError') return '' // the visitor thought better of it
    }
  }
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = file.name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
  return `Saved as ${file.name}.`
}
