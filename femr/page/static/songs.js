// The Songs tab: a card plays its song, and then the others of its mood.
import * as player from './player.js'

export function start(root, moods) {
  root.addEventListener('click', (event) => {
    const number = Number(event.target.closest('[data-song]')?.dataset.song)
    const { songs } = moods.find((mood) => mood.songs.some((song) => song.number === number)) || {}
    if (!songs) return
    const at = songs.findIndex((song) => song.number === number)
    player.play([...songs.slice(at), ...songs.slice(0, at)])
  })
  document.addEventListener('song', ({ detail }) => {
    for (const card of root.querySelectorAll('[data-song]')) {
      card.ariaCurrent = Number(card.dataset.song) === detail.number ? 'true' : null
    }
  })
}
