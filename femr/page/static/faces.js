// Boxes and labels over the picture, as elements: each face is a button. A label lies on no face and on no other label.
const GAP = 3 // pixels between a box and its label

/** Draws the faces into `layer`, which lies over the picture. `tapped` gets the face that is tapped. */
export function drawFaces(layer, faces, tapped) {
  layer.replaceChildren(...faces.map((face) => boxOf(face, tapped)), ...faces.map(labelOf))
  layer.faces = faces
  placeLabels(layer)
}

/** Moves the labels to where there is room for them now. */
export function placeLabels(layer) {
  const { clientWidth: width, clientHeight: height, faces = [] } = layer
  if (!width) return
  const boxes = faces.map(({ box: [x1, y1, x2, y2] }) => [x1 * width, y1 * height, x2 * width, y2 * height])
  const taken = [...boxes]
  const labels = [...layer.querySelectorAll('.label')]
  faces.forEach((face, index) => {
    const label = labels[index]
    const place = placeOf(label, texts(face), boxes[index], taken, [width, height])
    label.hidden = !place
    if (!place) return
    label.style.transform = `translate(${place[0]}px, ${place[1]}px)`
    taken.push(place)
  })
}

/** The first free place around a box, for the longest text that has one; none where all are taken. */
function placeOf(label, candidates, box, taken, [width, height]) {
  label.hidden = false
  for (const words of candidates) {
    label.lastChild.textContent = words
    const [w, h] = [label.offsetWidth, label.offsetHeight]
    const places = around(box, w, h).map(([x, y]) => {
      const left = Math.max(0, Math.min(x, width - w))
      const top = Math.max(0, Math.min(y, height - h))
      return [left, top, left + w, top + h]
    })
    const free = places.find((place) => !taken.some((other) => overlap(place, other)))
    if (free) return free
  }
  return null
}

/** Places for a label of this size, the best first: above, below, beside, and at the corners. */
function around([x1, y1, x2, y2], w, h) {
  const [above, below, left, right] = [y1 - h - GAP, y2 + GAP, x1 - w - GAP, x2 + GAP]
  const middle = (x1 + x2 - w) / 2
  return [
    ...[middle, x1, x2 - w].map((x) => [x, above]),
    ...[middle, x1, x2 - w].map((x) => [x, below]),
    ...[y1, y2 - h, (y1 + y2 - h) / 2].flatMap((y) => [[right, y], [left, y]]),
    ...[above, below].flatMap((y) => [[right, y], [left, y]]),
  ]
}

const overlap = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]

/** What stands beside the emoji, the longest first. */
const texts = ({ emotion, unclear }) => (unclear ? [` ${emotion}?`, '?'] : [` ${emotion}`, ''])

function boxOf(face, tapped) {
  const button = document.createElement('button')
  const [x1, y1, x2, y2] = face.box
  const share = (value) => `${100 * value}%`
  Object.assign(button.style, { left: share(x1), top: share(y1), width: share(x2 - x1), height: share(y2 - y1) })
  button.style.setProperty('--mood', face.color)
  button.type = 'button'
  button.className = face.unclear ? 'box unclear' : 'box'
  button.ariaLabel = `Face ${face.number}: looks ${face.adjective}${face.unclear ? ', unclear' : ''}`
  button.setAttribute('aria-expanded', 'false')
  button.addEventListener('click', () => tapped(face, button))
  return button
}

function labelOf(face) {
  const label = document.createElement('span')
  label.className = 'label'
  const sign = Object.assign(document.createElement('span'), { className: 'emoji', textContent: face.emoji })
  label.append(sign, document.createTextNode(''))
  label.ariaHidden = 'true'
  label.style.setProperty('--mood', face.color)
  return label
}
