// The pages of docs/statecharts are what the machines say now, and they say everything: each state of a machine
// is in its diagram, and each event that a state handles is in its table.

import { describe, expect, test } from 'vitest'
import type { AnyStateNode } from 'xstate'
import { readReviewed } from './reviewed.ts'
import { chartFile, chartPage, COMMAND, ROLES } from './statecharts.ts'
import { actionNames, machineOf } from './walks.ts'

function pathsBelow(node: AnyStateNode): string[] {
  return Object.values(node.states).flatMap((child) => [child.path.join('_'), ...pathsBelow(child)])
}

describe.each(ROLES)('docs/statecharts/%s.md', (role) => {
  test('is up to date', () => {
    const page = readReviewed(chartFile(role)).split('\n')
    expect(page, `differs from the machine: ${COMMAND}`).toEqual(chartPage(role).split('\n'))
  })

  test('leaves nothing out', () => {
    const page = chartPage(role)
    for (const type of machineOf(role).events) {
      const [, delay] = /^xstate\.after\.(\w+)\./.exec(type) ?? []
      expect(page).toContain(delay === undefined ? `\`${type}` : `\`after ${delay}`)
    }
    for (const path of pathsBelow(machineOf(role).root)) expect(page).toContain(` as ${path}\n`)
    for (const action of actionNames[role]) expect(page).toMatch(new RegExp(`\`${action}[\`(]`))
  })
})
