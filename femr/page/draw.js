() => {
  // a tab's parts are drawn when it is first opened; afterwards they stay as they are
  const drawn = (window.drawnTabs ??= new Set())
  const update = drawn.has(TAB) ? {} : { visible: true }
  drawn.add(TAB)
  return Array(PARTS).fill({ ...update, __type__: 'update' })
}
