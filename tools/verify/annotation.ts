// `colo verify --annotate RECORD`: the octets of a record, with what its row says of it.

import { lengthRuleText } from '../../formats/xen/record-spec.ts'
import { octetDiagram, recordNames, recordsNamed } from '../../formats/xen/verify/octet-diagram.ts'
import { CliError } from '../../terminal/exit-codes.ts'

/** Throws a CliError when there is no such record. */
export function annotate(name: string): string {
  const rows = recordsNamed(name)
  if (rows.length === 0) {
    throw new CliError('usage', `no record '${name}'; there are ${recordNames().join(', ')}`)
  }
  return rows
    .map((row) => {
      const title = `${row.layer} ${row.name} (xen-streams.md, section ${row.section})`
      return `${[title, '', ...octetDiagram(row), '', lengthRuleText(row.length)].join('\n')}\n`
    })
    .join('\n')
}
