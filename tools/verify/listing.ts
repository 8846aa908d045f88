// What `colo verify` prints of a stream: a line for each header and record, where runs of equal
// records are one line, and the findings below the record that they are in. Nothing is kept: a
// stream has no bounds, and neither may what is said of it.

import { CONTROL_ID } from '../../formats/xen/libxl-records.ts'
import { LEAD_NAME } from '../../formats/xen/verify/stream-opening.ts'
import type { Finding, Severity } from '../../formats/xen/verify/finding.ts'
import type { VerifiedRecord } from '../../formats/xen/verify/verifier-sink.ts'
import type { StreamHeader } from '../../formats/xen/stream-headers.ts'

interface Run {
  readonly name: string
  readonly layer: string
  readonly offset: number
  readonly length: number
  readonly words: string
  count: number
  bytes: number
  pfns: number
}

const MARKS: Readonly<Record<Severity, string>> = { error: '!!', sender: '! ', note: '..' }

const INDENT = ' '.repeat(14)
const FINDINGS_MAX = 100

export type Print = (line: string) => void

export class Listing {
  readonly #print: Print
  #run: Run | undefined
  /** Findings of the record under way, which is listed when it is whole. */
  #findings: Finding[] = []

  constructor(print: Print) {
    this.#print = print
  }

  header(header: StreamHeader, offset: number): void {
    this.#flushRun()
    const { kind, ...fields } = header
    this.#line(offset, `${kind} header`, '', wordsOf(fields))
    this.#flushFindings()
  }

  record({ name, layer, offset, length, fields }: VerifiedRecord): void {
    this.#add(name, layer, offset, length, 0, wordsOf(fields))
    if (this.#findings.length > 0) this.flush()
  }

  pageData(offset: number, length: number, count: number): void {
    const run = this.#run
    if (run?.name === 'PAGE_DATA') {
      run.count++
      run.bytes += length
      run.pfns += count
    } else {
      this.#add('PAGE_DATA', 'libxc', offset, length, count, '')
    }
    if (this.#findings.length > 0) this.flush()
  }

  #add(
    name: string,
    layer: string,
    offset: number,
    length: number,
    pfns: number,
    words: string,
  ): void {
    const run = this.#run
    if (run?.name === name && run.layer === layer && run.words === words) {
      run.count++
      run.bytes += length
      run.pfns += pfns
      return
    }
    this.#flushRun()
    this.#run = { name, layer, offset, length, words, count: 1, bytes: length, pfns }
  }

  finding(finding: Finding): void {
    this.#findings.push(finding)
    // It is ahead of all that is listed, not in what comes next.
    if (finding.record === LEAD_NAME) this.flush()
    if (this.#findings.length >= FINDINGS_MAX) this.flush()
  }

  /** Prints what is under way. */
  flush(): void {
    this.#flushRun()
    this.#flushFindings()
  }

  #flushFindings(): void {
    for (const finding of this.#findings) this.#print(`${INDENT}${describeFinding(finding)}`)
    this.#findings = []
  }

  #flushRun(): void {
    const run = this.#run
    if (run === undefined) return
    this.#run = undefined
    const times = run.count > 1 ? ` × ${run.count}` : ''
    const words = run.name === 'PAGE_DATA' ? `${run.pfns} pfns` : run.words
    this.#line(run.offset, `${run.layer} ${run.name}${times}`, `${run.bytes} bytes`, words)
  }

  #line(offset: number, name: string, bytes: string, words: string): void {
    const line = `${String(offset).padStart(12)}  ${name.padEnd(34)} ${bytes.padStart(16)}  ${words}`
    this.#print(line.trimEnd())
  }
}

function wordsOf(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== false)
    .map(([name, value]) => (value === true ? name : `${name} ${wordOf(name, value)}`))
    .join(', ')
}

const controlNames = new Map<unknown, string>(
  Object.entries(CONTROL_ID).map(([name, id]) => [id, ` (${name})`]),
)

function wordOf(field: string, value: unknown): string {
  if (field === 'controlId') return `${String(value)}${controlNames.get(value) ?? ''}`
  if (typeof value === 'object' && value !== null && 'length' in value) {
    return `(${String(value.length)})`
  }
  return String(value)
}

export function describeFinding(finding: Finding): string {
  const { severity, code, offset, recordIndex, record, rule, found, section } = finding
  const where = `byte ${offset}, ${recordIndex < 0 ? '' : `record ${recordIndex}, `}${record}`
  const instead = found === '' ? '' : `; found ${found}`
  const source = section === '' ? '' : ` (${section})`
  return `${MARKS[severity]} ${severity} ${code} at ${where}: ${rule}${instead}${source}`
}
