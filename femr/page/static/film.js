// The timeline of a film: a tap on it, or an arrow key, goes to that place of the film; the film moves the mark.
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`

/** Brings the timeline to life. video(): the film's element, where there is one. */
export function start(element, video) {
  const tell = (slider) => {
    const moments = JSON.parse(slider.parentElement.dataset.moments)
    const [, look] = moments.findLast(([time]) => time <= slider.valueAsNumber) || moments[0]
    const words = `${clock(slider.valueAsNumber)} · ${look ? `looks ${look}` : 'no face'}`
    slider.setAttribute('aria-valuetext', words)
    slider.nextElementSibling.textContent = words
  }
  element.addEventListener('input', ({ target }) => {
    const film = video()
    if (film) film.currentTime = target.valueAsNumber
    tell(target)
  })
  const follow = ({ target }) => {
    const slider = element.querySelector('.film input')
    if (!slider || target !== video()) return
    slider.value = target.currentTime
    tell(slider)
  }
  document.addEventListener('timeupdate', follow, true)
}
