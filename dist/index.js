import { createRequire as __WEBPACK_EXTERNAL_createRequire } from "module";
/******/ var __webpack_modules__ = ({

/***/ 698:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:async_hooks");

/***/ }),

/***/ 421:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:child_process");

/***/ }),

/***/ 598:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:crypto");

/***/ }),

/***/ 24:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:fs");

/***/ }),

/***/ 455:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:fs/promises");

/***/ }),

/***/ 67:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:http");

/***/ }),

/***/ 327:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:https");

/***/ }),

/***/ 995:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:module");

/***/ }),

/***/ 161:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:os");

/***/ }),

/***/ 760:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:path");

/***/ }),

/***/ 708:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:process");

/***/ }),

/***/ 75:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:stream");

/***/ }),

/***/ 500:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:timers/promises");

/***/ }),

/***/ 975:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:util");

/***/ }),

/***/ 522:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:zlib");

/***/ }),

/***/ 381:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   a: () => (/* binding */ i),
/* harmony export */   b: () => (/* binding */ g),
/* harmony export */   c: () => (/* binding */ E),
/* harmony export */   d: () => (/* binding */ I),
/* harmony export */   e: () => (/* binding */ y)
/* harmony export */ });
/* harmony import */ var node_module__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(995);
/* harmony import */ var node_timers_promises__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(500);
const require=(0,node_module__WEBPACK_IMPORTED_MODULE_0__.createRequire)(import.meta.url);
var i=class extends Error{failures;status;constructor(t,r="failed",s){let n=Array.isArray(t)?t:[t];super(n.map(g).join(`
`),s),this.name="FailureError",this.failures=n,this.status=r}};function l(e){return e.trim().replace(/[.\s]+$/,"")}function g(e){let t=[e.logicalId===void 0?void 0:e.logicalId,e.account===void 0?void 0:`account ${e.account}`,e.region,e.resource!==void 0&&!e.cause.includes(e.resource)?e.resource:void 0].filter(n=>n!==void 0),r=l(e.cause).replace(/\s*\n\s*/g," "),s=t.length>0?` (${t.join(", ")})`:"";return`${r}${s}.${e.hint===void 0?"":` ${l(e.hint)}.`}`}function E(e){return e.startsWith("cn-")?"sts.amazonaws.com.cn":"sts.amazonaws.com"}async function I({env:e,audience:t,mask:r,fetch:s=fetch}){let n=e.ACTIONS_ID_TOKEN_REQUEST_URL,u=e.ACTIONS_ID_TOKEN_REQUEST_TOKEN;if(!n||!u)throw new i({code:"CredentialsMissing",resource:"role-to-assume",cause:"GitHub gives this job no OIDC token",hint:"Add `permissions: id-token: write` to this job, and to the calling job when the workflow is called; pull requests from forks never get one"});let p=n.includes("?")?"&":"?",a="";for(let c=1;c<=4;c+=1){try{let o=await s(`${n}${p}audience=${encodeURIComponent(t)}`,{headers:{authorization:`Bearer ${u}`,accept:"application/json; api-version=2.0"},signal:AbortSignal.timeout(1e4)});if(o.ok){let{value:d}=await o.json();if(typeof d=="string"&&d!=="")return r(d),d;a="the answer held no token"}else if(a=`HTTP ${o.status}`,o.status<500&&o.status!==408&&o.status!==429)break}catch(o){a=o.message}c<4&&await (0,node_timers_promises__WEBPACK_IMPORTED_MODULE_1__.setTimeout)(250*2**c*Math.random())}throw new i({code:"CredentialsMissing",resource:"role-to-assume",cause:`GitHub's OIDC endpoint gave no token: ${a}`,hint:"Re-run the job; see https://www.githubstatus.com when it persists"})}function y(e){try{return JSON.parse(Buffer.from(e.split(".")[1]??"","base64url").toString("utf8"))}catch{return{}}}


/***/ }),

/***/ 186:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   a: () => (/* binding */ m),
/* harmony export */   b: () => (/* binding */ n),
/* harmony export */   c: () => (/* binding */ o)
/* harmony export */ });
/* harmony import */ var node_module__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(995);
const require=(0,node_module__WEBPACK_IMPORTED_MODULE_0__.createRequire)(import.meta.url);
var g=Object.create;var f=Object.defineProperty;var h=Object.getOwnPropertyDescriptor;var i=Object.getOwnPropertyNames;var j=Object.getPrototypeOf,k=Object.prototype.hasOwnProperty;var m=(a=>typeof require<"u"?require:typeof Proxy<"u"?new Proxy(a,{get:(b,c)=>(typeof require<"u"?require:b)[c]}):a)(function(a){if(typeof require<"u")return require.apply(this,arguments);throw Error('Dynamic require of "'+a+'" is not supported')});var n=(a,b)=>()=>{try{return b||a((b={exports:{}}).exports,b),b.exports}catch(c){throw b=0,c}};var l=(a,b,c,e)=>{if(b&&typeof b=="object"||typeof b=="function")for(let d of i(b))!k.call(a,d)&&d!==c&&f(a,d,{get:()=>b[d],enumerable:!(e=h(b,d))||e.enumerable});return a};var o=(a,b,c)=>(c=a!=null?g(j(a)):{},l(b||!a||!a.__esModule?f(c,"default",{value:a,enumerable:!0}):c,a));


/***/ }),

/***/ 602:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  a: () => (/* binding */ ge),
  b: () => (/* binding */ dt),
  c: () => (/* binding */ he)
});

// EXTERNAL MODULE: external "node:module"
var external_node_module_ = __nccwpck_require__(995);
// EXTERNAL MODULE: ./build/18810/esm/chunk-P2M4ZMML.mjs
var chunk_P2M4ZMML = __nccwpck_require__(381);
;// CONCATENATED MODULE: external "os"
const external_os_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("os");
;// CONCATENATED MODULE: external "crypto"
const external_crypto_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("crypto");
;// CONCATENATED MODULE: external "fs"
const external_fs_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("fs");
// EXTERNAL MODULE: external "node:timers/promises"
var promises_ = __nccwpck_require__(500);
// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __nccwpck_require__(24);
;// CONCATENATED MODULE: ./build/18810/esm/chunk-UUIEBOJR.mjs
const chunk_UUIEBOJR_require=(0,external_node_module_.createRequire)(import.meta.url);
function m(t){return t==null?"":typeof t=="string"||t instanceof String?t:JSON.stringify(t)}function x(t){return Object.keys(t).length?{title:t.title,file:t.file,line:t.startLine,endLine:t.endLine,col:t.startColumn,endColumn:t.endColumn}:{}}function g(t,e,n){let r=new O(t,e,n);process.stdout.write(r.toString()+external_os_namespaceObject.EOL)}function C(t,e=""){g(t,{},e)}var H="::",O=class{constructor(e,n,r){e||(e="missing.command"),this.command=e,this.properties=n,this.message=r}toString(){let e=H+this.command;if(this.properties&&Object.keys(this.properties).length>0){e+=" ";let n=!0;for(let r in this.properties)if(this.properties.hasOwnProperty(r)){let o=this.properties[r];o&&(n?n=!1:e+=",",e+=`${r}=${gt(o)}`)}}return e+=`${H}${mt(this.message)}`,e}};function mt(t){return m(t).replace(/%/g,"%25").replace(/\r/g,"%0D").replace(/\n/g,"%0A")}function gt(t){return m(t).replace(/%/g,"%25").replace(/\r/g,"%0D").replace(/\n/g,"%0A").replace(/:/g,"%3A").replace(/,/g,"%2C")}function D(t,e){let n=process.env[`GITHUB_${t}`];if(!n)throw new Error(`Unable to find environment variable for file command ${t}`);if(!external_fs_namespaceObject.existsSync(n))throw new Error(`Missing file at path: ${n}`);external_fs_namespaceObject.appendFileSync(n,`${m(e)}${external_os_namespaceObject.EOL}`,{encoding:"utf8"})}function V(t,e){let n=`ghadelimiter_${external_crypto_namespaceObject.randomUUID()}`,r=m(e);if(t.includes(n))throw new Error(`Unexpected input: name should not contain the delimiter "${n}"`);if(r.includes(n))throw new Error(`Unexpected input: value should not contain the delimiter "${n}"`);return`${t}<<${n}${external_os_namespaceObject.EOL}${r}${external_os_namespaceObject.EOL}${n}`}var z;(function(t){t[t.Success=0]="Success",t[t.Failure=1]="Failure"})(z||(z={}));function J(t){g("add-mask",{},t)}function Y(t,e){if(process.env.GITHUB_OUTPUT||"")return D("OUTPUT",V(t,e));process.stdout.write(external_os_namespaceObject.EOL),g("set-output",{name:t},m(e))}function K(t){g("debug",{},t)}function W(t,e={}){g("error",x(e),t instanceof Error?t.toString():t)}function q(t,e={}){g("warning",x(e),t instanceof Error?t.toString():t)}function Z(t,e={}){g("notice",x(e),t instanceof Error?t.toString():t)}function _(t){process.stdout.write(t+external_os_namespaceObject.EOL)}function Q(t){C("group",t)}function X(){C("endgroup")}var tt={now:()=>Date.now(),async sleep(t,e){e?.throwIfAborted();try{await (0,promises_.setTimeout)(t,void 0,e===void 0?{}:{signal:e})}catch(n){throw e?.throwIfAborted(),n}}};function et({signals:t,exit:e,report:n}){let r=new AbortController,o={signal:r.signal,operation:void 0,onCancel:"detach"},i=!1,s=(a,u)=>{if(i)return;i=!0;let{operation:p,onCancel:y}=o,c=y==="stop"?p?.stop:void 0;n(a,p,c!==void 0);let l=()=>{r.abort(new Error(`cancelled by ${a}`)),e(u)};if(c===void 0)return l();let d=setTimeout(l,1500);c().then(()=>(clearTimeout(d),l()),()=>(clearTimeout(d),l()))};return t.on("SIGINT",()=>s("SIGINT",130)),t.on("SIGTERM",()=>s("SIGTERM",143)),o}function nt(t){let e=i=>t[i]??"",n=e("GITHUB_SERVER_URL")||"https://github.com",r=e("GITHUB_REPOSITORY"),o=e("GITHUB_RUN_ID");return{repository:r,repositoryId:e("GITHUB_REPOSITORY_ID"),runId:o,runAttempt:Number(e("GITHUB_RUN_ATTEMPT")||"1"),job:e("GITHUB_JOB"),sha:e("GITHUB_SHA"),ref:e("GITHUB_REF"),actor:e("GITHUB_ACTOR"),workflow:e("GITHUB_WORKFLOW"),eventName:e("GITHUB_EVENT_NAME"),runUrl:r!==""&&o!==""?`${n}/${r}/actions/runs/${o}`:"",apiUrl:e("GITHUB_API_URL")||"https://api.github.com",workspace:e("GITHUB_WORKSPACE")||"."}}function yt(t,e){let n=[Array.from({length:e.length+1},(r,o)=>o)];for(let r=1;r<=t.length;r+=1){let o=[r];for(let i=1;i<=e.length;i+=1){let s=t[r-1]===e[i-1]?0:1,a=Math.min(n[r-1][i]+1,o[i-1]+1,n[r-1][i-1]+s);r>1&&i>1&&t[r-1]===e[i-2]&&t[r-2]===e[i-1]&&(a=Math.min(a,n[r-2][i-2]+1)),o.push(a)}n.push(o)}return n[t.length][e.length]}function k(t,e){let n=Math.max(1,Math.floor(t.length/4));return e.map(r=>({candidate:r,far:yt(t.toLowerCase(),r.toLowerCase())})).filter(({far:r})=>r<=n).sort((r,o)=>r.far-o.far)[0]?.candidate}function v(t,e){let n=k(t,e);return n===void 0?"":` (did you mean ${n}?)`}var f=class extends Error{},wt=/^(?:us(?:-gov|-iso[a-z]?)?|[a-z]{2}(?:-iso[a-z]?)?|mx)-(?:[a-z]+)-\d{1,2}$/,rt=/^arn:aws(?:-[a-z]+)*:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/,It=/^arn:aws(?:-[a-z]+)*:[a-z0-9-]+:[a-z0-9-]*:(?:\d{12})?:.+$/;function w(t,e){return n=>{if(!t.test(n))throw new f(`is ${$(n)}, but must be ${e}`);return n}}function S(t,e,n,r){let o=/^\d{1,9}$/.test(t)?Number(t):Number.NaN;if(!(o>=e&&o<=n))throw new f(`is ${$(t)}, but must be a whole number${r} from ${e} to ${n}`);return o}function $(t){return JSON.stringify(t.length>100?`${t.slice(0,100)}...`:t)}function $t(t,e){if(e.includes(t))return t;throw new f(`is ${$(t)}, but must be one of ${e.join(", ")}${v(t,e)}`)}async function it(t){let{readYaml:e}=await __nccwpck_require__.e(/* import() */ 881).then(__nccwpck_require__.bind(__nccwpck_require__, 881));try{return e(t)}catch(n){throw new f(`is no valid YAML or JSON: ${n.message.split(`
`)[0]}`)}}async function xt(t){let e=await it(t);if(e===null||typeof e!="object"||Array.isArray(e))throw new f("must be a YAML or JSON mapping of names to values, one `name: value` per line");let n={};for(let[r,o]of Object.entries(e)){if(o===null||typeof o=="object")throw new f(`gives ${$(r)} no plain value; write text, a number, true or false`);n[r]=String(o)}return n}async function ot(t){if(/^\s*\[/.test(t)||/^\s*-\s/m.test(t)){let e=await it(t);if(!Array.isArray(e)||e.some(n=>n===null||typeof n=="object"))throw new f("must be a list of plain values, one per line or as a YAML or JSON list");return e.map(String)}return t.split(/[\n,]/).map(e=>e.trim()).filter(e=>e!=="")}var Tt={text:t=>t,file:t=>t,boolean:t=>{if(/^(true|True|TRUE)$/.test(t))return!0;if(/^(false|False|FALSE)$/.test(t))return!1;throw new f(`is ${$(t)}, but must be true or false`)},region:w(wt,"an AWS region such as eu-west-1"),account:w(/^\d{12}$/,"a twelve-digit AWS account id"),"role-arn":w(rt,"the ARN of an IAM role, arn:aws:iam::ACCOUNT:role/NAME"),"role-arns":async t=>{let e=await ot(t);for(let n of e)w(rt,"a list of role ARNs, arn:aws:iam::ACCOUNT:role/NAME")(n);return e},arn:w(It,"an ARN"),name:w(/^[A-Za-z0-9](-*[A-Za-z0-9]){0,62}$/,"letters, digits and single hyphens, at most 63"),minutes:t=>S(t,1,43200," of minutes"),seconds:t=>S(t,1,43200," of seconds"),integer:t=>S(t,0,1e6,""),percentage:t=>S(t.replace(/\s*%$/,""),0,100," of percent"),mapping:xt,list:ot};async function st(t,e){return typeof t=="string"?Tt[t](e):$t(e,t.choice)}function at(t){return`INPUT_${t.replace(/ /g,"_").toUpperCase()}`}function P(t,e){return{code:"InvalidInput",resource:t,cause:`Input \`${t}\` ${e}`}}async function N(t,e,n=[]){let r=[...Object.keys(t),...n],o=[],i={};for(let[a,u]of Object.entries(t)){let p=(e[at(a)]??"").trim(),y=p===""?u.default??"":p;if(y===""){u.required&&o.push(P(a,"is required and was not given")),i[a]=void 0;continue}try{i[a]=await st(u.kind,y)}catch(c){if(!(c instanceof f))throw c;o.push(P(a,c.message))}}let s=new Set(r.map(at));for(let[a,u]of Object.entries(e)){if(!a.startsWith("INPUT_")||s.has(a)||(u??"").trim()==="")continue;let p=a.slice(6).toLowerCase();k(p,r)!==void 0&&o.push(P(p,`is not known to this action${v(p,r)}`))}if(o.length>0)throw new chunk_P2M4ZMML.a(o);return i}function bt(t){return t.replace(/\u001b\[[0-9;]*[A-Za-z]/g,"").replace(/[\u0000-\u0008\u000a-\u001f\u007f]/g," ").replaceAll("##[","## [")}function ct(){let t=e=>e===void 0?{}:{title:e};return{debug:K,info:_,foreign:e=>_(`| ${bt(e)}`),notice:(e,n)=>Z(e,t(n)),warn:(e,n)=>q(e,t(n)),error:(e,n)=>W(e,t(n)),async group(e,n){Q(e);try{return await n()}finally{X()}}}}function ut(t){let e=new Set,n=new Map;return{values:n,mask(r){r.length<8||(e.add(r),t.setSecret(r))},set(r,o){for(let i of e)if(o.includes(i))throw new Error(`Output ${r} would hold a masked value; GitHub would drop it.`);n.set(r,o),t.setOutput(r,o)}}}var St=9e5;function A(t){return t.replace(/[&<>]/g,e=>e==="&"?"&amp;":e==="<"?"&lt;":"&gt;").replace(/([\\`*_[\]|~#])/g,"\\$1").replace(/@(?=[A-Za-z0-9])/g,"@\u200B").replace(/\r?\n/g," ")}function R(t){return`<code>${t.replace(/[&<>|\n]/g,e=>e===`
`?" ":`&#${e.charCodeAt(0)};`)}</code>`}function lt(t,e){let n=[],r=s=>n.push(s),o=s=>"`".repeat(Math.max(3,...[...s.matchAll(/`+/g)].map(([a])=>a.length+1))),i=(s,a)=>`${o(s)}${a}
${s}
${o(s)}`;return{heading:s=>r(`## ${s}`),text:s=>r(s),table(s,a){let u=p=>`| ${p.join(" | ")} |`;r([u(s),u(s.map(()=>"---")),...a.map(u)].join(`
`))},code:(s,a="")=>r(i(s,a)),details:(s,a)=>r(`<details><summary>${s}</summary>

${a}

</details>`),top:s=>n.unshift(s),write(){if(t===void 0||t===""||n.length===0)return;let s=[],a=0;for(let u of n){if(a+=Buffer.byteLength(u)+2,a>St){s.push(`_The rest (${n.length-s.length} parts) is left out: GitHub shows at most 1 MiB. The log has it._`);break}s.push(u)}n=[];try{(0,external_node_fs_.appendFileSync)(t,`${s.join(`

`)}

`,"utf8")}catch(u){e(`The job summary could not be written: ${u.message}`)}}}}var M=10,At=50;function pt(t){return t instanceof chunk_P2M4ZMML.a?t.failures:[{code:"InternalError",cause:`Unexpected error: ${t instanceof Error?t.message:String(t)}`,hint:"This is a defect; re-run with debug logging for the stack and report it"}]}function ft(t,e){let n=e.slice(0,At).map(r=>({...r,...r.logTail===void 0?{}:{logTail:r.logTail.slice(-40).map(o=>o.slice(0,500))}}));return JSON.stringify({action:t,total:e.length,failures:n})}function Et(t){return t.code.startsWith("Invalid")&&t.account===void 0}function L(t,e,n){if(e.every(Et)){n.error(e.map(chunk_P2M4ZMML.b).join(`
`),`${t}: ${e[0]?.code??"InvalidInput"}`);return}e.slice(0,M).forEach(r=>{n.error((0,chunk_P2M4ZMML.b)(r),`${t}: ${r.code}`)}),e.length>M&&n.info(`${e.length-M} more failures are in the summary and in the output failure.`)}function F(t,e,n){for(let o of[...e].reverse())if(o.logTail&&o.logTail.length>0){let i="`".repeat(8);n.top(`<details open><summary>Last lines of the log of ${A(o.logicalId??o.resource??t)}</summary>

${i}text
${o.logTail.join(`
`).replaceAll(i,"")}
${i}

</details>`)}let r=e.map(o=>[R(o.code),o.account??"",o.region??"",[o.logicalId,o.resource].filter(i=>i!==void 0).map(R).join(" "),A(o.cause),[o.hint===void 0?"":A(o.hint),o.console?`[console](${o.console})`:""].filter(i=>i!=="").join(" ")].join(" | "));n.top([`## \u274C ${t} failed`,"","| code | account | region | resource | cause | what to do |","| --- | --- | --- | --- | --- | --- |",...r.map(o=>`| ${o} |`)].join(`
`))}function ge(t,e,n){return{name:t,inputs:e,load:n}}function Ot(t,e,n){return e===void 0?{code:"Cancelled",cause:`Cancelled (${t}) before anything was started`,hint:"Re-run this job"}:{code:"Cancelled",resource:e.resource,cause:`Cancelled (${t}): ${e.describe()}`,hint:n?"It is being stopped, as on-cancel says":`It goes on; to go on here, ${e.resume}`}}async function dt({name:t,inputs:e,load:n},r=process.env,o=[]){let i=ct(),s=ut({setOutput:Y,setSecret:J}),a=lt(r.GITHUB_STEP_SUMMARY,c=>i.warn(c)),u=(c,l)=>{s.set("status",c),s.set("failure",l.length===0?"":ft(t,l)),a.write()},p=et({signals:process,exit:c=>process.exit(c),report(c,l,d){let I=Ot(c,l,d);L(t,[I],i),F(t,[I],a),u(l===void 0||d?"failed":"still-running",[I])}}),y={env:r,context:nt(r),logger:i,summary:a,clock:tt,signal:p.signal,output:s.set,mask:s.mask,idToken:c=>(0,chunk_P2M4ZMML.d)({env:r,audience:c,mask:s.mask}),operation:c=>{p.operation=c}};try{let c=await N(e,r,o);p.onCancel=c["on-cancel"];let{run:l}=await n();u(await l(c,y),[])}catch(c){if(process.exitCode=1,p.signal.aborted)return;let l=pt(c);L(t,l,i),!(c instanceof chunk_P2M4ZMML.a)&&c instanceof Error&&i.debug(c.stack??c.message);for(let{logTail:d,logicalId:I}of l)d&&d.length>0&&await i.group(`Last lines of the log of ${I??t}`,async()=>d.forEach(i.foreign));F(t,l,a),u(c instanceof chunk_P2M4ZMML.a?c.status:"failed",l)}}async function he(t,e=process.env){let n={kind:{choice:Object.keys(t)},required:!0},r;try{({command:r}=await N({command:n},{INPUT_COMMAND:e.INPUT_COMMAND}))}catch(i){return dt({name:"sagemaker-mlops",inputs:{},load:async()=>({run:()=>Promise.reject(i)})},e)}let o=t[r];return dt((await o()).default,e,["command"])}


/***/ })

/******/ });
/************************************************************************/
/******/ // The module cache
/******/ var __webpack_module_cache__ = {};
/******/ 
/******/ // The require function
/******/ function __nccwpck_require__(moduleId) {
/******/ 	// Check if module is in cache
/******/ 	var cachedModule = __webpack_module_cache__[moduleId];
/******/ 	if (cachedModule !== undefined) {
/******/ 		return cachedModule.exports;
/******/ 	}
/******/ 	// Create a new module (and put it into the cache)
/******/ 	var module = __webpack_module_cache__[moduleId] = {
/******/ 		// no module.id needed
/******/ 		// no module.loaded needed
/******/ 		exports: {}
/******/ 	};
/******/ 
/******/ 	// Execute the module function
/******/ 	var threw = true;
/******/ 	try {
/******/ 		__webpack_modules__[moduleId](module, module.exports, __nccwpck_require__);
/******/ 		threw = false;
/******/ 	} finally {
/******/ 		if(threw) delete __webpack_module_cache__[moduleId];
/******/ 	}
/******/ 
/******/ 	// Return the exports of the module
/******/ 	return module.exports;
/******/ }
/******/ 
/******/ // expose the modules object (__webpack_modules__)
/******/ __nccwpck_require__.m = __webpack_modules__;
/******/ 
/************************************************************************/
/******/ /* webpack/runtime/asset-relocator-loader */
/******/ if (typeof __nccwpck_require__ !== 'undefined') __nccwpck_require__.ab = decodeURIComponent(new URL('.', import.meta.url).pathname).slice(import.meta.url.match(/^file:\/\/\/\w:/) ? 1 : 0, -1) + "/";
/******/ 
/******/ /* webpack/runtime/create fake namespace object */
/******/ (() => {
/******/ 	var getProto = Object.getPrototypeOf ? (obj) => (Object.getPrototypeOf(obj)) : (obj) => (obj.__proto__);
/******/ 	var leafPrototypes;
/******/ 	// create a fake namespace object
/******/ 	// mode & 1: value is a module id, require it
/******/ 	// mode & 2: merge all properties of value into the ns
/******/ 	// mode & 4: return value when already ns object
/******/ 	// mode & 16: return value when it's Promise-like
/******/ 	// mode & 8|1: behave like require
/******/ 	__nccwpck_require__.t = function(value, mode) {
/******/ 		if(mode & 1) value = this(value);
/******/ 		if(mode & 8) return value;
/******/ 		if(typeof value === 'object' && value) {
/******/ 			if((mode & 4) && value.__esModule) return value;
/******/ 			if((mode & 16) && typeof value.then === 'function') return value;
/******/ 		}
/******/ 		var ns = Object.create(null);
/******/ 		__nccwpck_require__.r(ns);
/******/ 		var def = {};
/******/ 		leafPrototypes = leafPrototypes || [null, getProto({}), getProto([]), getProto(getProto)];
/******/ 		for(var current = mode & 2 && value; typeof current == 'object' && !~leafPrototypes.indexOf(current); current = getProto(current)) {
/******/ 			Object.getOwnPropertyNames(current).forEach((key) => (def[key] = () => (value[key])));
/******/ 		}
/******/ 		def['default'] = () => (value);
/******/ 		__nccwpck_require__.d(ns, def);
/******/ 		return ns;
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/define property getters */
/******/ (() => {
/******/ 	// define getter functions for harmony exports
/******/ 	__nccwpck_require__.d = (exports, definition) => {
/******/ 		for(var key in definition) {
/******/ 			if(__nccwpck_require__.o(definition, key) && !__nccwpck_require__.o(exports, key)) {
/******/ 				Object.defineProperty(exports, key, { enumerable: true, get: definition[key] });
/******/ 			}
/******/ 		}
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/ensure chunk */
/******/ (() => {
/******/ 	__nccwpck_require__.f = {};
/******/ 	// This file contains only the entry chunk.
/******/ 	// The chunk loading function for additional chunks
/******/ 	__nccwpck_require__.e = (chunkId) => {
/******/ 		return Promise.all(Object.keys(__nccwpck_require__.f).reduce((promises, key) => {
/******/ 			__nccwpck_require__.f[key](chunkId, promises);
/******/ 			return promises;
/******/ 		}, []));
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/get javascript chunk filename */
/******/ (() => {
/******/ 	// This function allow to reference async chunks
/******/ 	__nccwpck_require__.u = (chunkId) => {
/******/ 		// return url for filenames based on template
/******/ 		return "" + chunkId + ".index.mjs";
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/hasOwnProperty shorthand */
/******/ (() => {
/******/ 	__nccwpck_require__.o = (obj, prop) => (Object.prototype.hasOwnProperty.call(obj, prop))
/******/ })();
/******/ 
/******/ /* webpack/runtime/make namespace object */
/******/ (() => {
/******/ 	// define __esModule on exports
/******/ 	__nccwpck_require__.r = (exports) => {
/******/ 		if(typeof Symbol !== 'undefined' && Symbol.toStringTag) {
/******/ 			Object.defineProperty(exports, Symbol.toStringTag, { value: 'Module' });
/******/ 		}
/******/ 		Object.defineProperty(exports, '__esModule', { value: true });
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/import chunk loading */
/******/ (() => {
/******/ 	// no baseURI
/******/ 	
/******/ 	// object to store loaded and loading chunks
/******/ 	// undefined = chunk not loaded, null = chunk preloaded/prefetched
/******/ 	// [resolve, Promise] = chunk loading, 0 = chunk loaded
/******/ 	var installedChunks = {
/******/ 		792: 0
/******/ 	};
/******/ 	
/******/ 	var installChunk = (data) => {
/******/ 		var {ids, modules, runtime} = data;
/******/ 		// add "modules" to the modules object,
/******/ 		// then flag all "ids" as loaded and fire callback
/******/ 		var moduleId, chunkId, i = 0;
/******/ 		for(moduleId in modules) {
/******/ 			if(__nccwpck_require__.o(modules, moduleId)) {
/******/ 				__nccwpck_require__.m[moduleId] = modules[moduleId];
/******/ 			}
/******/ 		}
/******/ 		if(runtime) runtime(__nccwpck_require__);
/******/ 		for(;i < ids.length; i++) {
/******/ 			chunkId = ids[i];
/******/ 			if(__nccwpck_require__.o(installedChunks, chunkId) && installedChunks[chunkId]) {
/******/ 				installedChunks[chunkId][0]();
/******/ 			}
/******/ 			installedChunks[ids[i]] = 0;
/******/ 		}
/******/ 	
/******/ 	}
/******/ 	
/******/ 	__nccwpck_require__.f.j = (chunkId, promises) => {
/******/ 			// import() chunk loading for javascript
/******/ 			var installedChunkData = __nccwpck_require__.o(installedChunks, chunkId) ? installedChunks[chunkId] : undefined;
/******/ 			if(installedChunkData !== 0) { // 0 means "already installed".
/******/ 	
/******/ 				// a Promise means "currently loading".
/******/ 				if(installedChunkData) {
/******/ 					promises.push(installedChunkData[1]);
/******/ 				} else {
/******/ 					if(true) { // all chunks have JS
/******/ 						// setup Promise in chunk cache
/******/ 						var promise = import("./" + __nccwpck_require__.u(chunkId)).then(installChunk, (e) => {
/******/ 							if(installedChunks[chunkId] !== 0) installedChunks[chunkId] = undefined;
/******/ 							throw e;
/******/ 						});
/******/ 						var promise = Promise.race([promise, new Promise((resolve) => (installedChunkData = installedChunks[chunkId] = [resolve]))])
/******/ 						promises.push(installedChunkData[1] = promise);
/******/ 					}
/******/ 				}
/******/ 			}
/******/ 	};
/******/ 	
/******/ 	// no prefetching
/******/ 	
/******/ 	// no preloaded
/******/ 	
/******/ 	// no external install chunk
/******/ 	
/******/ 	// no on chunks loaded
/******/ })();
/******/ 
/************************************************************************/
var __webpack_exports__ = {};
/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   n: () => (/* binding */ a)
/* harmony export */ });
/* harmony import */ var node_module__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(995);
/* harmony import */ var _chunk_UUIEBOJR_mjs__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(602);
/* harmony import */ var _chunk_P2M4ZMML_mjs__WEBPACK_IMPORTED_MODULE_2__ = __nccwpck_require__(381);
/* harmony import */ var _chunk_TSHUUVCP_mjs__WEBPACK_IMPORTED_MODULE_3__ = __nccwpck_require__(186);
const require=(0,node_module__WEBPACK_IMPORTED_MODULE_0__.createRequire)(import.meta.url);
var o={"gate-model":()=>__nccwpck_require__.e(/* import() */ 905).then(__nccwpck_require__.bind(__nccwpck_require__, 905)),"run-pipeline":()=>__nccwpck_require__.e(/* import() */ 538).then(__nccwpck_require__.bind(__nccwpck_require__, 538))};async function a(t){return t===void 0?(0,_chunk_UUIEBOJR_mjs__WEBPACK_IMPORTED_MODULE_1__.c)(o):(0,_chunk_UUIEBOJR_mjs__WEBPACK_IMPORTED_MODULE_1__.b)((await o[t]()).default)}

var __webpack_exports__start = __webpack_exports__.n;
export { __webpack_exports__start as start };
