-- Asks the Developer Zone about a call and sets variables; haproxy.cfg decides by them. Goes to /etc/haproxy/.
local URL = "https://verify.example.com/verify"
-- From the environment of HAProxy, so that no file of the configuration holds it.
local SECRET = os.getenv("VERIFY_SECRET")

core.register_action("verify", { "http-req" }, function(txn)
  local received = txn.http:req_get_headers()
  -- The call that HAProxy holds: limited tokens are refused without it. The caller's address counts only with the secret.
  local headers = {
    ["x-original-method"] = { txn.f:method() },
    ["x-original-uri"] = { txn.f:pathq() },
    ["x-client-ip"] = { txn.f:src() },
  }
  if SECRET ~= nil then headers["x-verify-secret"] = { SECRET } end
  -- No other header of the caller is sent.
  for _, name in ipairs({ "authorization", "x-api-key", "origin" }) do
    local values = received[name]
    -- Two headers of one name are both sent: the Developer Zone refuses them. HAProxy counts values from 0.
    if values ~= nil then
      headers[name] = {}
      for index = 0, #values do
        if values[index] ~= nil then table.insert(headers[name], values[index]) end
      end
    end
  end
  -- A new client for each call, so that no answer is kept.
  local answer = core.httpclient():get({ url = URL, headers = headers, timeout = 5000 })
  local function first(name)
    local values = answer.headers and answer.headers[name]
    return values and values[0] or ""
  end
  txn:set_var("txn.status", answer.status or 0)
  txn:set_var("txn.challenge", first("www-authenticate"))
  txn:set_var("txn.organisation", first("x-organisation-id"))
  txn:set_var("txn.plan", first("x-organisation-plan"))
  txn:set_var("txn.token", first("x-token-id"))
  txn:set_var("txn.access", first("x-token-access"))
end)
