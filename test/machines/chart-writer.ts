// A statechart as Markdown: a Mermaid diagram of its states and ways, and a table of every transition with what
// it does. Mermaid draws no arrow out of a parallel region, so such ways start at the state around the regions
// and say in which of them they hold.

import { statesBelow, type ChartState, type ChartTransition } from './chart-reader.ts'

const INDENT = '    '
const idOf = (path: string) => path.replaceAll('.', '_')

/** The state around the outermost parallel one's regions, if `path` lies in one of them: `session`. */
function parallelAround(root: ChartState, path: string): string | undefined {
  const around = statesBelow(root).find(
    ({ kind, path: parallel }) => kind === 'parallel' && path.startsWith(`${parallel}.`),
  )
  return around?.path
}

function labelOf({ on, guard }: ChartTransition): string {
  return guard === '' ? on : `${on} [${guard}]`
}

/** Arrows with the same ends are one, with a line for each event. */
function arrowsOf(root: ChartState): Map<string, { from: string; to: string; labels: string[] }> {
  const arrows = new Map<string, { from: string; to: string; labels: string[] }>()
  for (const state of statesBelow(root)) {
    if (state.path === '') continue
    for (const transition of state.transitions) {
      if (transition.to === '') continue
      const parallel = parallelAround(root, state.path)
      const leaves = parallel !== undefined && !transition.to.startsWith(`${parallel}.`)
      const from = leaves ? parallel : state.path
      const label = labelOf(transition) + (leaves ? ` in ${state.key}` : '')
      const key = `${from} ${transition.to}`
      const arrow = arrows.get(key) ?? { from, to: transition.to, labels: [] }
      arrow.labels.push(label)
      arrows.set(key, arrow)
    }
  }
  return arrows
}

/** The state inside which an arrow is drawn: the deepest that holds both of its ends. */
function scopeOf(root: ChartState, from: string, to: string): string {
  const holds = (path: string) =>
    path === '' || (from.startsWith(`${path}.`) && to.startsWith(`${path}.`))
  return statesBelow(root)
    .filter(({ path, children }) => children.length > 0 && holds(path))
    .toSorted((one, other) => other.depth - one.depth)[0].path
}

export function writeDiagram(root: ChartState): string {
  const arrows = [...arrowsOf(root).values()]
  const lines = ['stateDiagram-v2']
  const write = (state: ChartState, indent: string) => {
    if (state.initial !== '') {
      const path = state.path === '' ? state.initial : `${state.path}.${state.initial}`
      lines.push(`${indent}[*] --> ${idOf(path)}`)
    }
    state.children.forEach((child, index) => {
      if (state.kind === 'parallel' && index > 0) lines.push(`${indent}--`)
      lines.push(`${indent}state "${child.key}" as ${idOf(child.path)}`)
      if (child.children.length === 0) return
      lines.push(`${indent}state ${idOf(child.path)} {`)
      write(child, indent + INDENT)
      lines.push(`${indent}}`)
    })
    for (const { from, to, labels } of arrows) {
      if (scopeOf(root, from, to) !== state.path) continue
      const label = [...new Set(labels)].join('<br/>')
      lines.push(`${indent}${idOf(from)} --> ${idOf(to)}: ${label}`)
    }
  }
  write(root, INDENT)
  return lines.join('\n')
}

const code = (text: string) => (text === '' ? '' : `\`${text}\``)
const list = (names: readonly string[]) => names.map(code).join(', ')

export function writeTable(root: ChartState): string {
  const rows = statesBelow(root).flatMap((state) =>
    state.transitions.map((transition) => {
      const where = state.path === '' ? 'any' : code(state.path)
      const again = transition.to === state.path && transition.isEntered ? ' (entered anew)' : ''
      const to = transition.to === '' ? 'stays' : code(transition.to) + again
      return `| ${where} | ${code(labelOf(transition))} | ${to} | ${list(transition.actions)} |`
    }),
  )
  return ['| state | event or delay | target | actions |', '|---|---|---|---|', ...rows].join('\n')
}

export function writeEntries(root: ChartState): string {
  const rows = statesBelow(root)
    .filter(({ entry, exit }) => entry.length + exit.length > 0)
    .map(({ path, entry, exit }) => `| ${code(path)} | ${list(entry)} | ${list(exit)} |`)
  return ['| state | on the way in | on the way out |', '|---|---|---|', ...rows].join('\n')
}
