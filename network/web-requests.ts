// Which HTTP requests may become control connections. A browser says where a page is from in `Origin`, and the
// pages of a web site have no business here. A name that somebody else's DNS gave this address would come in
// `Host`, so only names that this side was told, and addresses, are taken.

import { isIP } from 'node:net'
import type { IncomingMessage } from 'node:http'

/** Why it is refused; undefined if it may come in. `names` are taken in lower case. */
export function refusedRequest(
  { headers }: Pick<IncomingMessage, 'headers'>,
  names: readonly string[],
): string | undefined {
  if (headers.origin !== undefined) return 'a request of a web page (it has an Origin)'
  const host = hostOf(headers.host ?? '')
  if (isIP(host) !== 0 || host === 'localhost' || names.includes(host)) return undefined
  return `Host ${JSON.stringify(host.slice(0, 100))} is no address: allow the name with --http-host`
}

/** Without the port, and without the brackets of an IPv6 address. */
function hostOf(header: string): string {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(header.trim())
  return (match?.[1] ?? match?.[2] ?? '').toLowerCase()
}
