// Why an address could not be listened at, in one line: the option, the address, the reason and the way out.

import { joinAddress, splitAddress } from '../network/address.ts'

/** `way` names the option in place of OPTION. */
interface ListenRow {
  readonly reason: string
  readonly way: string
}

export const LISTEN_ERRORS: Readonly<Record<string, ListenRow>> = {
  EADDRINUSE: {
    reason: 'somebody listens there already',
    way: 'give OPTION another port, or stop it',
  },
  EADDRNOTAVAIL: {
    reason: 'this machine does not have that address',
    way: 'give OPTION one that it has, 127.0.0.1 or 0.0.0.0',
  },
  ENOTFOUND: { reason: 'no address is known for that name', way: 'give OPTION an IP address' },
  EAI_AGAIN: {
    reason: 'the name service does not answer',
    way: 'give OPTION an IP address, or try again',
  },
  EACCES: {
    reason: 'this user may not listen there',
    way: 'give OPTION a port from 1024 on, or permit it',
  },
  EAFNOSUPPORT: {
    reason: 'this machine does not speak that kind of address',
    way: 'give OPTION one of another kind',
  },
  EINVAL: { reason: 'that is no address to listen at', way: 'give OPTION another one' },
  EMFILE: { reason: 'too many files are open', way: 'raise `ulimit -n`' },
}

/** Of what listening at `address`, given with `option`, was rejected with. */
export function listenError(option: string, address: string, error: unknown): Error {
  const { code = '', message } = error as NodeJS.ErrnoException
  const row = Object.hasOwn(LISTEN_ERRORS, code) ? LISTEN_ERRORS[code] : undefined
  const { host, port } = splitAddress(address)
  const what = `${option} ${joinAddress(host, port)}`
  const why = row ? `${row.reason} (${code}): ${row.way.replace('OPTION', option)}` : message
  return new Error(`${what}: ${why}`, { cause: error })
}
