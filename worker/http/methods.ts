/** The methods of a call, but for OPTIONS, which is answered here. */
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
