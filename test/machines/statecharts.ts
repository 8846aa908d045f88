// Writes docs/statecharts from the machines themselves, so that the pictures cannot drift from the code:
//   node dist/test/machines/statecharts.js            writes them
//   node dist/test/machines/statecharts.js --check    ends with 1 if they differ
// statecharts.test.ts makes the same comparison.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { primaryMachine } from '../../primary/machine.ts'
import { secondaryMachine } from '../../secondary/machine.ts'
import { readChart } from './chart-reader.ts'
import { writeDiagram, writeEntries, writeTable } from './chart-writer.ts'

export const COMMAND = 'npx tsc -b && node dist/test/machines/statecharts.js'

const CHARTS = {
  primary: {
    machine: primaryMachine,
    about: 'The side that owns the guest. It is entered as `standalone`, once ownership is won.',
  },
  secondary: {
    machine: secondaryMachine,
    about:
      'The side that does not own the guest. Every daemon begins here; `promoted` makes it the primary.',
  },
} as const

type RoleName = keyof typeof CHARTS

export const ROLES = Object.keys(CHARTS) as RoleName[]

export const chartFile = (role: RoleName) => join('docs', 'statecharts', `${role}.md`)

export function chartPage(role: RoleName): string {
  const { machine, about } = CHARTS[role]
  const chart = readChart(machine)
  return `# The statechart of the ${role}

${about} Generated from \`${role}/machine.ts\`; do not edit: \`${COMMAND}\`

A way that leaves the parallel regions of \`session\` is drawn from \`session\` itself and names the state in
which it holds; a way that leads from \`any\` state is only in the table. Delays are rows of
\`shared/protocol/delays.ts\`; in the rounds they are begun by \`await\` and pass as \`deadline.passed\`. What
each action does stands in \`${role}/effects.ts\`.

\`\`\`mermaid
${writeDiagram(chart)}
\`\`\`

## Transitions

A word of the peer that a state does not wait for is a protocol violation: the row of \`any\`.

${writeTable(chart)}

## Entry and exit

${writeEntries(chart)}
`
}

function rootOf(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : rootOf(dirname(folder))
}

function main(isCheck: boolean): number {
  const root = rootOf(import.meta.dirname)
  const stale = ROLES.filter((role) => {
    const file = join(root, chartFile(role))
    const isSame = existsSync(file) && readFileSync(file, 'utf8') === chartPage(role)
    if (isSame || isCheck) return !isSame
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, chartPage(role))
    console.log(`wrote ${chartFile(role)}`)
    return false
  })
  for (const role of stale) console.error(`${chartFile(role)} differs from the machine: ${COMMAND}`)
  return stale.length === 0 ? 0 : 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = main(process.argv.includes('--check'))
}
