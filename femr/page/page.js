// What concerns the whole page: tabs by arrow keys, and ?view= opens one.
const ARROWS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }

document.addEventListener('keydown', (event) => {
  const tab = event.target.closest?.('[role=tab]')
  const step = ARROWS[event.key]
  if (!tab || !step) return
  const tabs = [...tab.closest('[role=tablist]').querySelectorAll('[role=tab]')]
  const wanted = tabs.indexOf(tab) + step
  const other = tabs[Math.abs(step) === 1 ? (wanted + tabs.length) % tabs.length : step < 0 ? 0 : tabs.length - 1]
  event.preventDefault()
  other.click()
  other.focus()
})

/** Opens the tab that ?view= names, by its first word, once it is there; the wall is a page of its own. */
export function openView() {
  const view = new URLSearchParams(location.search).get('view')?.toLowerCase()
  if (!view) return
  if (view === 'wall') return location.replace('wall')
  const named = (tab) => tab.textContent.trim().toLowerCase().split(' ')[0] === view
  // again and again: a click before Gradio (6.31) listens is lost
  let tries = 600
  const timer = setInterval(() => {
    const tab = [...document.querySelectorAll('[role=tab]')].find(named)
    if (tab?.ariaSelected === 'true' || !tries--) clearInterval(timer)
    else tab?.click()
  }, 50)
}
openView()
