// What `colo verify` does with its input: verifies it, or its back channel against its forward
// stream, and prints as text or JSON what was found.

import type { Finding, Verdict } from '../../formats/xen/verify/finding.ts'
import type { ForwardFacts } from '../../formats/xen/verify/back-rounds.ts'
import type { FormName } from '../../formats/xen/verify/stream-form.ts'
import { StreamVerifier } from '../../formats/xen/verify/stream-verifier.ts'
import type { VerifierOptions } from '../../formats/xen/verify/verifier-sink.ts'
import { CliError, EXIT_CODES } from '../../terminal/exit-codes.ts'
import { say } from '../../terminal/standard-streams.ts'
import type { VerifyOptions } from './options.ts'
import { FindingFilter, fewFindings } from './finding-filter.ts'
import { Listing, describeFinding } from './listing.ts'
import { hintFor } from '../input/stream-kind.ts'
import { Opening } from './opening.ts'
import { readStream } from './stream-input.ts'

const OUTPUT_BYTES = 64 * 1024
const JSON_FINDINGS_MAX = 100_000

/** Lines on standard output, a good many at a time. */
class Printer {
  #text = ''

  readonly print = (line: string): void => {
    this.#text += `${line}\n`
    if (this.#text.length > OUTPUT_BYTES) this.flush()
  }

  flush(): void {
    if (this.#text !== '') say(this.#text)
    this.#text = ''
  }
}

interface Judged {
  readonly verdict: Verdict
  readonly form: string
  readonly findings: Finding[]
  readonly rest: string[]
  /** Which verb reads it, if it is none of Xen's streams; begins with a semicolon. */
  readonly hint: string
  readonly facts: ForwardFacts
}

/** Returns the exit code. Throws a CliError when the input cannot be read. */
export async function verify(input: string | undefined, options: VerifyOptions): Promise<number> {
  if (options.annotate !== undefined) {
    if (input !== undefined) throw new CliError('usage', '--annotate reads no stream: leave it out')
    const { annotate } = await import('./annotation.ts')
    say(annotate(options.annotate))
    return EXIT_CODES.done.code
  }
  if (input === undefined) throw new CliError('usage', 'give a file, or - for standard input')
  if (options.likeXen) {
    const { verifyLikeXen } = await import('./like-xen.ts')
    return verifyLikeXen(input, options)
  }
  return judgeAll(input, options)
}

function judgeAll(input: string, options: VerifyOptions): number {
  const printer = new Printer()
  const { withForward } = options
  let forward: Judged | undefined
  if (withForward === '-' && input === '-') {
    throw new CliError('usage', 'standard input is one stream: give a file for the other')
  }
  if (withForward !== undefined) {
    if (options.form !== 'auto' && options.form !== 'back') {
      throw new CliError('usage', '--with-forward is for a back channel: --form back')
    }
    forward = judge(withForward, 'colo', options, printer.print, { tracksPfns: true })
    tell(withForward, forward, options, printer.print)
  }
  const form = withForward === undefined ? options.form : 'back'
  const isLost = forward?.verdict.ending === 'lost'
  const facts = isLost ? undefined : forward?.facts
  const judged = judge(input, form, options, printer.print, { forward: facts })
  if (isLost) judged.rest.push(`not held against ${withForward}, which was not judged to its end`)
  tell(input, judged, options, printer.print)
  printer.flush()
  const all = forward === undefined ? [judged] : [forward, judged]
  const isSound = all.every(({ verdict }) => verdict.judgement === 'valid')
  return isSound ? EXIT_CODES.done.code : EXIT_CODES.broken.code
}

function judge(
  input: string,
  form: string,
  { format, quiet, all }: VerifyOptions,
  print: (line: string) => void,
  more: VerifierOptions,
): Judged {
  const findings: Finding[] = []
  const listing = new Listing(print)
  const isListed = format === 'text' && !quiet
  const show = (finding: Finding) => {
    if (format === 'json') findings.push(finding)
    else if (quiet) print(describeFinding(finding))
    else listing.finding(finding)
  }
  // Text goes out as it comes; a JSON object is held whole.
  const most = format === 'json' ? JSON_FINDINGS_MAX : Infinity
  const filter = new FindingFilter(show, all ? { ofAKind: most, all: most } : fewFindings)
  const verifier = new StreamVerifier(
    {
      finding: (finding) => filter.add(finding),
      header: isListed ? (header, offset) => listing.header(header, offset) : undefined,
      record: isListed ? (record) => listing.record(record) : undefined,
      pageData: isListed ? (at, length, count) => listing.pageData(at, length, count) : undefined,
    },
    { ...more, form: form as FormName | 'auto' },
  )
  const opening = new Opening(verifier)
  readStream(input, opening)
  const verdict = verifier.finish()
  listing.flush()
  const { rest } = filter
  const isStrange = verdict.records === 0 || (verdict.ending === 'lost' && verdict.records === 1)
  const verb = form === 'back' ? 'verify --form back' : 'verify'
  const hint = isStrange ? hintFor(opening.first, verb) : ''
  return {
    verdict,
    form: verifier.form ?? 'unknown',
    findings,
    rest,
    hint,
    facts: verifier.forwardFacts,
  }
}

function tell(
  input: string,
  { verdict, form, findings, rest, hint }: Judged,
  { format }: VerifyOptions,
  print: (line: string) => void,
): void {
  if (format === 'json') {
    const wayOut = hint.replace('; ', '')
    print(JSON.stringify({ input, form, ...verdict, shown: findings, rest, hint: wayOut }))
    return
  }
  for (const line of rest) print(line)
  print(`${input}: ${describeVerdict(verdict, form)}${hint}`)
}

function describeVerdict(verdict: Verdict, form: string): string {
  const { judgement, ending, bytes, records, checkpoints, checkpointEndBytes, findings } = verdict
  const counts = [
    `${findings.error} errors`,
    `${findings.sender} of the sender only`,
    `${findings.note} notes`,
  ]
  const parts = [`${form} stream`, ending, `${records} records`, `${bytes} bytes`]
  if (checkpoints > 0) parts.push(`${checkpoints} checkpoints in ${checkpointEndBytes} bytes`)
  return `${judgement}: ${parts.join(', ')}; ${counts.join(', ')}`
}
