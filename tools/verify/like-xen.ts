// `colo verify --like-xen`: the last line and the exit code of Xen 4.17's verify-stream-v2. It ends as
// that does, 2 included, which is its way of saying that a record is deprecated.

import { FORM_BYTES, formOf } from '../../formats/xen/verify/stream-form.ts'
import { XenVerifier } from '../../formats/xen/verify/xen-verdict.ts'
import type { XenForm } from '../../formats/xen/verify/xen-verdict.ts'
import type { XenVerdict } from '../../formats/xen/verify/xen-rules.ts'
import { say, sayAside } from '../../terminal/standard-streams.ts'
import type { VerifyOptions } from './options.ts'
import { readStream } from './stream-input.ts'

/** It knows of three forms; what else a stream may be called is a libxl stream to it. */
function xenFormOf(form: string): XenForm {
  return form === 'libxc' || form === 'xl' ? form : 'libxl'
}

/** Reads nothing but what says what the stream is. */
class AutoXenVerifier {
  #verifier: XenVerifier | undefined
  readonly #first = new Uint8Array(FORM_BYTES)
  #gathered = 0

  get skippable(): number {
    return this.#verifier?.skippable ?? 0
  }

  get isDone(): boolean {
    return this.#verifier?.isDone ?? false
  }

  skip(bytes: number): void {
    this.#verifier?.skip(bytes)
  }

  push(chunk: Uint8Array, from: number, to: number): void {
    let at = from
    while (this.#verifier === undefined && at < to) {
      this.#first[this.#gathered++] = chunk[at++]
      if (this.#gathered < FORM_BYTES) continue
      this.#verifier = new XenVerifier(xenFormOf(formOf(this.#first, 0)))
      this.#verifier.push(this.#first, 0, FORM_BYTES)
    }
    this.#verifier?.push(chunk, at, to)
  }

  finish(): XenVerdict {
    return (this.#verifier ?? new XenVerifier('libxl')).finish()
  }
}

/** Returns its exit code. */
export function verifyLikeXen(input: string, { form, format }: VerifyOptions): number {
  const verifier = form === 'auto' ? new AutoXenVerifier() : new XenVerifier(xenFormOf(form))
  readStream(input, verifier)
  const { exit, message } = verifier.finish()
  if (format === 'json') say(`${JSON.stringify({ input, exit, message })}\n`)
  else if (exit === 0) say(`${message}\n`)
  else sayAside(`${message}\n`)
  return exit
}
