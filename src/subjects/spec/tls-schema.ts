/** How a spec names Secrets, and the servers whose certificates are verified. */
import { z } from 'zod';

/** Name of a Secret of the namespace. */
export const secretName = z.string().min(1).max(253);

/** The DNS name that a certificate must be valid for. */
export const serverName = secretName.regex(/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/);

/** `tls` of servers. @param type of the Secret with the authorities */
export const tlsSchema = <T extends z.ZodType>(name: T, type: string, description: string) => {
  const authorities = `A Secret of this namespace, of type ${type}, whose key ca.crt has the trusted authorities. Left out: those that Node.js ships with.`;
  const caSecretName = secretName.optional().describe(authorities);
  return z.object({ serverName: name, caSecretName }).optional().describe(description);
};
