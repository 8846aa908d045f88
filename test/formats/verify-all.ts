// A sink that keeps what a verifier says, in a form that two runs can be compared by.

import type { Finding, Verdict } from '../../formats/xen/verify/finding.ts'
import { StreamVerifier } from '../../formats/xen/verify/stream-verifier.ts'
import type { VerifierOptions } from '../../formats/xen/verify/verifier-sink.ts'

export interface Verified {
  readonly verdict: Verdict
  readonly findings: Finding[]
  /** A line for each header and record. */
  readonly heard: string[]
  readonly verifier: StreamVerifier
}

/** `feed` gives it more than the chunks, in its own way. */
export function verifyAll(
  chunks: Iterable<Uint8Array>,
  options: VerifierOptions = {},
  feed?: (verifier: StreamVerifier) => void,
): Verified {
  const findings: Finding[] = []
  const heard: string[] = []
  const verifier = new StreamVerifier(
    {
      finding: (finding) => findings.push(finding),
      header: (header, offset) => heard.push(`${JSON.stringify(header)} at ${offset}`),
      record: ({ index, layer, name, offset, length }) =>
        heard.push(`${index} ${layer} ${name} at ${offset}: ${length}`),
      pageData: (offset, length, count) => heard.push(`${count} pages at ${offset}: ${length}`),
    },
    options,
  )
  for (const chunk of chunks) verifier.push(chunk)
  feed?.(verifier)
  return { verdict: verifier.finish(), findings, heard, verifier }
}
