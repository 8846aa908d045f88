// What comes on a control channel as text: JSON or not, and what a schema says of it.

import type { RawData } from 'ws'
import type { ZodError } from 'zod'

/** One line of what zod found: the field and what was expected. */
export function describeZodError(error: ZodError): string {
  const [first] = error.issues
  const where = first?.path.join('.') || 'the message'
  return `${where}: ${first?.message ?? 'not of the schema'}`.slice(0, 500)
}

/** The JSON of a text message, or what is wrong with it. */
export function parseMessage(data: RawData, isBinary: boolean): { json: unknown } | string {
  if (isBinary) return 'a binary message; this channel carries JSON text'
  try {
    return { json: JSON.parse((data as Buffer).toString('utf8')) as unknown }
  } catch {
    return 'not JSON'
  }
}

/** The major version that a message names, whatever else is in it. */
export function majorOf(json: unknown): number | undefined {
  const version = (json as { version?: { major?: unknown } } | null)?.version?.major
  return typeof version === 'number' ? version : undefined
}
